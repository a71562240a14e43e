/* Load client: many WebSocket connections from one thread over epoll.
 *
 * It must cost less than any server it measures, so it allocates nothing per message, never unmasks
 * or validates, and writes its counters to a shared file instead of a pipe.
 *
 *   load FILE PORT CONNECTIONS DIALECT PATH RAMP SECONDS [TOPIC...]
 *
 * DIALECT  plain (count frames) | socketio (Engine.IO 4 over WebSocket) | live (this product)
 * RAMP     connections that are being opened at the same time
 * SECONDS  the program always ends after this time
 * TOPIC    connection i follows topic i modulo their number
 * LOAD_TOKEN in the environment is sent as Bearer token.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "counters.h"

enum { MAX_EVENTS = 512, LONG_FRAME = 32768 };

enum phase { CONNECTING, UPGRADING, JOINING, OPEN, GONE };
enum dialect { PLAIN, SOCKETIO, LIVE };

struct connection {
    int fd, number;
    enum phase phase;
    char *rest;                       /* the start of an incomplete frame */
    size_t rest_length, rest_capacity;
    uint64_t skip;                    /* bytes of a long frame still to skip */
    bool skips_snapshot;
};

static struct connection *connections;
static int epoll, wanted, started, topic_count;
static enum dialect dialect;
static struct sockaddr_in server;
static char **topics, request[2048], buffer[1 << 18];

static void watch(struct connection *c, int operation, uint32_t events) {
    struct epoll_event e = {.events = events, .data.ptr = c};
    epoll_ctl(epoll, operation, c->fd, &e);
}

static void start_next(void);

static void end(struct connection *c) {
    bool was_open = c->phase == OPEN;
    close(c->fd);
    free(c->rest);
    c->rest = NULL;
    c->phase = GONE;
    if (was_open) { shared->closed++; return; }
    shared->failed++;
    start_next();
}

static void start_next(void) {
    if (started == wanted) return;
    struct connection *c = &connections[started];
    c->number = started++;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) fail("socket");
    /* Reset on close: tens of thousands of ports in TIME_WAIT would spoil the next measurement. */
    struct linger reset = {1, 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (connect(c->fd, (void *)&server, sizeof server) < 0 && errno != EINPROGRESS) { end(c); return; }
    watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

static void set_ready(struct connection *c) {
    if (c->phase == OPEN) return;
    c->phase = OPEN;
    shared->last_ready = now_ns();
    shared->ready++;
    start_next();
}

/* A client must mask; a key of zeros leaves the text as it is. */
static void send_frame(struct connection *c, int opcode, const char *text, size_t length) {
    char frame[4096];
    size_t head = length < 126 ? 6 : 8;
    if (head + length > sizeof frame) return;
    frame[0] = (char)(0x80 | opcode);
    frame[1] = (char)(0x80 | (length < 126 ? length : 126));
    if (head == 8) { frame[2] = (char)(length >> 8); frame[3] = (char)length; }
    memset(frame + head - 4, 0, 4);
    memcpy(frame + head, text, length);
    if (write(c->fd, frame, head + length) < 0) return; /* the read side notices a lost peer */
}

static void join(struct connection *c) {
    c->phase = JOINING;
    if (dialect == PLAIN) set_ready(c);
    if (dialect != LIVE) return; /* Socket.IO joins after the open packet of the server */
    char text[512];
    int length = snprintf(text, sizeof text, "{\"type\":\"subscribe\",\"topic\":\"%s\"}",
                          topics[c->number % topic_count]);
    send_frame(c, 1, text, (size_t)length);
}

static void acknowledge(struct connection *c, const char *text, size_t length) {
    bool found;
    uint64_t n = number_after(text, length, "\"n\":", &found);
    char answer[64];
    if (!found) return;
    int size = snprintf(answer, sizeof answer, "{\"type\":\"ack\",\"n\":%lu}", (unsigned long)n);
    send_frame(c, 1, answer, (size_t)size);
}

/* Return the text after `"type":"` near the start of a frame; NULL if there is none. */
static const char *type_of(const char *text, size_t length) {
    const char *at = memmem(text, length < 40 ? length : 40, "\"type\":\"", 8);
    return at ? at + 8 : NULL;
}

static bool is_snapshot(const char *type) { return type && !strncmp(type, "snapshot\"", 9); }

static void take_text(struct connection *c, char *text, size_t length, size_t on_wire, uint64_t at) {
    if (dialect == SOCKETIO) {
        if (length == 1 && text[0] == '2') { send_frame(c, 1, "3", 1); return; }
        if (text[0] == '0') { send_frame(c, 1, "40", 2); return; }
        if (length > 1 && text[0] == '4' && text[1] == '0') { set_ready(c); return; }
    }
    const char *type = type_of(text, length);
    if (!type) return;
    if (!strncmp(type, "room\"", 5)) count_room(text, length, on_wire, at);
    else if (is_snapshot(type)) set_ready(c);
    else if (!strncmp(type, "sync\"", 5)) acknowledge(c, text, length);
}

/* Process all complete frames. Return the used bytes, or -1 if the server closes. */
static long take_frames(struct connection *c, char *data, size_t size, uint64_t at) {
    size_t used = 0;
    while (size - used >= 2) {
        unsigned char *f = (unsigned char *)data + used;
        size_t left = size - used, head = 2, length = f[1] & 127;
        if (length == 126) { if (left < 4) break; head = 4; length = (size_t)f[2] << 8 | f[3]; }
        else if (length == 127) {
            if (left < 10) break;
            head = 10;
            length = 0;
            for (int i = 2; i < 10; i++) length = length << 8 | f[i];
        }
        char *text = (char *)f + head;
        if (left < head + length) {
            if (length < LONG_FRAME || left < head + 64) break;
            /* Keeping half a snapshot for each of thousands of connections would cost gigabytes. */
            c->skips_snapshot = is_snapshot(type_of(text, left - head));
            c->skip = head + length - left;
            return (long)size;
        }
        int opcode = f[0] & 15;
        if (opcode == 8) return -1;
        if (opcode == 9) send_frame(c, 10, text, length);
        if (opcode == 1) take_text(c, text, length, head + length, at);
        used += head + length;
    }
    return (long)used;
}

static void keep_rest(struct connection *c, const char *data, size_t length) {
    c->rest_length = length;
    if (!length) return;
    if (c->rest_capacity < length) {
        c->rest_capacity = length + 1024;
        c->rest = realloc(c->rest, c->rest_capacity);
        if (!c->rest) fail("realloc");
    }
    memcpy(c->rest, data, length);
}

/* Skip the rest of a long frame. Return the skipped bytes. */
static size_t pass_over(struct connection *c, size_t size) {
    size_t passed = c->skip < size ? c->skip : size;
    c->skip -= passed;
    if (!c->skip && c->skips_snapshot) { c->skips_snapshot = false; set_ready(c); }
    return passed;
}

static void on_readable(struct connection *c, uint64_t at) {
    if (c->rest_length) memcpy(buffer, c->rest, c->rest_length);
    ssize_t got = read(c->fd, buffer + c->rest_length, sizeof buffer - c->rest_length);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) { end(c); return; }
    size_t size = c->rest_length + (size_t)got, used = 0;
    if (c->phase == UPGRADING) {
        char *stop = memmem(buffer, size, "\r\n\r\n", 4);
        if (!stop) { keep_rest(c, buffer, size); return; }
        if (strncmp(buffer, "HTTP/1.1 101", 12)) { end(c); return; }
        used = (size_t)(stop - buffer) + 4;
        join(c);
    }
    if (c->skip) used += pass_over(c, size - used);
    if (!c->skip && size > used) {
        long taken = take_frames(c, buffer + used, size - used, at);
        if (taken < 0) { end(c); return; }
        used += (size_t)taken;
    }
    keep_rest(c, buffer + used, size - used);
}

static void on_connected(struct connection *c) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error || write(c->fd, request, strlen(request)) < 0) { end(c); return; }
    c->phase = UPGRADING;
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

static void write_request(int port, const char *path) {
    const char *token = getenv("LOAD_TOKEN");
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
             path, port, token ? "Authorization: Bearer " : "", token ? token : "",
             token ? "\r\n" : "");
}

int main(int count, char **words) {
    if (count < 8) { fprintf(stderr, "see the top of load.c\n"); return 2; }
    int port = atoi(words[2]), ramp = atoi(words[6]);
    wanted = atoi(words[3]);
    dialect = !strcmp(words[4], "live") ? LIVE : !strcmp(words[4], "socketio") ? SOCKETIO : PLAIN;
    topics = words + 8;
    topic_count = count - 8;
    if (dialect == LIVE && !topic_count) { fprintf(stderr, "live needs a topic\n"); return 2; }
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    open_shared(words[1]);
    write_request(port, words[5]);
    uint64_t deadline = shared->began + strtoull(words[7], NULL, 10) * 1000000000u;
    connections = calloc((size_t)wanted, sizeof *connections);
    epoll = epoll_create1(0);
    if (!connections || epoll < 0) fail("start");
    for (int i = 0; i < ramp && i < wanted; i++) start_next();
    struct epoll_event events[MAX_EVENTS];
    while (!*(volatile uint64_t *)&shared->stop && now_ns() < deadline) {
        int n = epoll_wait(epoll, events, MAX_EVENTS, 50);
        if (*(volatile uint64_t *)&shared->reset) {
            memset(shared->lag, 0, sizeof shared->lag);
            shared->log_used = shared->reset = 0;
        }
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->phase == CONNECTING) on_connected(c);
            else if (c->phase != GONE) on_readable(c, now_ns());
        }
    }
    return 0;
}
