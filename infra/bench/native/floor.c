/* The floor: the cost of the kernel alone. Every text published in Redis is framed once and sent
 * with send(2) to every client; no data is queued, parsed or checked.
 *
 *   floor PORT REDIS_PORT CHANNEL      (REDIS_PASSWORD in the environment)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CLIENTS = 70000, MAX_EVENTS = 256 };

static const char ACCEPTED[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"; /* the answer to the one key
                                                                     that load.c sends */
static int epoll, clients[MAX_CLIENTS], client_count;
static char is_upgraded[MAX_CLIENTS], inbox[1 << 20], scratch[1 << 16];
static size_t inbox_length;

static void fail(const char *what) { perror(what); exit(1); }

static void watch(int fd) {
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}

static int open_listener(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (void *)&at, sizeof at) || listen(fd, 4096)) fail("listen");
    return fd;
}

static int subscribe(int port, const char *channel) {
    const char *password = getenv("REDIS_PASSWORD");
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (void *)&at, sizeof at)) fail("redis");
    if (password) dprintf(fd, "AUTH %s\r\n", password);
    dprintf(fd, "SUBSCRIBE %s\r\n", channel);
    return fd;
}

static void broadcast(const char *text, size_t length) {
    static unsigned char frame[1 << 16];
    size_t head = length < 126 ? 2 : 4;
    if (length > sizeof frame - 4) return;
    frame[0] = 0x81;
    frame[1] = (unsigned char)(length < 126 ? length : 126);
    if (head == 4) { frame[2] = (unsigned char)(length >> 8); frame[3] = (unsigned char)length; }
    memcpy(frame + head, text, length);
    for (int i = 0; i < client_count; i++)
        if (send(clients[i], frame, head + length, MSG_NOSIGNAL) < 0) continue; /* full: dropped */
}

/* A published text comes as `$7 message $n channel $n text`, each length and value on a line. */
static void take_published(const char *channel) {
    char mark[128];
    int mark_length = snprintf(mark, sizeof mark, "$7\r\nmessage\r\n$%zu\r\n%s\r\n$",
                               strlen(channel), channel);
    char *at;
    while ((at = memmem(inbox, inbox_length, mark, (size_t)mark_length))) {
        char *digits = at + mark_length, *stop = inbox + inbox_length;
        char *line = memmem(digits, (size_t)(stop - digits), "\r\n", 2);
        if (!line) return;
        size_t length = strtoul(digits, NULL, 10);
        char *text = line + 2, *after = text + length + 2;
        if (after > stop) return;
        broadcast(text, length);
        inbox_length = (size_t)(stop - after);
        memmove(inbox, after, inbox_length);
    }
}

static void accept_all(int listener) {
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= MAX_CLIENTS) { close(fd); continue; }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        watch(fd);
    }
}

static void on_client(int fd) {
    if (read(fd, scratch, sizeof scratch) <= 0) {
        close(fd);
        is_upgraded[fd] = 0;
        for (int i = 0; i < client_count; i++)
            if (clients[i] == fd) { clients[i] = clients[--client_count]; break; }
    } else if (!is_upgraded[fd]) {
        is_upgraded[fd] = 1;
        if (write(fd, ACCEPTED, sizeof ACCEPTED - 1) > 0) clients[client_count++] = fd;
    }
}

int main(int count, char **words) {
    if (count != 4) { fprintf(stderr, "floor PORT REDIS_PORT CHANNEL\n"); return 2; }
    epoll = epoll_create1(0);
    int redis = subscribe(atoi(words[2]), words[3]), listener = open_listener(atoi(words[1]));
    watch(listener);
    watch(redis);
    struct epoll_event events[MAX_EVENTS];
    for (;;) {
        int n = epoll_wait(epoll, events, MAX_EVENTS, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) accept_all(listener);
            else if (fd != redis) on_client(fd);
            else {
                ssize_t got = read(fd, inbox + inbox_length, sizeof inbox - inbox_length);
                if (got <= 0) return 0;
                inbox_length += (size_t)got;
                take_published(words[3]);
            }
        }
    }
}
