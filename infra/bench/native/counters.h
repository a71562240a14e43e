/* The shared file between load client and reader: counters, arrival times and lags. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

enum { LAG_BUCKETS = 2048, HEADER_WORDS = 16 };

/* The layout is read by load.py. Times are CLOCK_MONOTONIC nanoseconds. */
struct shared {
    uint64_t stop, reset;             /* written by the reader */
    uint64_t ready, failed, closed;   /* connections */
    uint64_t rooms, bytes;            /* room frames and their bytes on the socket */
    uint64_t began, last_ready;
    uint64_t log_used, log_size;      /* records */
    uint64_t spare[HEADER_WORDS - 11];
    uint64_t lag[LAG_BUCKETS];        /* microseconds from marker to arrival, see bucket_of */
    struct { uint64_t marker, at; } log[];
};

static struct shared *shared;

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what) { perror(what); exit(1); }

/* 64 buckets an octave: exact below 64 us, within 1.6 % above. */
static int bucket_of(uint64_t us) {
    if (us < 64) return (int)us;
    int octave = 63 - __builtin_clzll(us);
    int index = (octave - 5) * 64 + (int)((us >> (octave - 6)) & 63);
    return index < LAG_BUCKETS ? index : LAG_BUCKETS - 1;
}

static uint64_t number_after(const char *text, size_t length, const char *mark, bool *found) {
    const char *at = memmem(text, length, mark, strlen(mark)), *stop = text + length;
    uint64_t value = 0;
    *found = at != NULL;
    if (at) for (at += strlen(mark); at < stop && *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    return value;
}

static void count_room(const char *text, size_t length, size_t on_wire, uint64_t at) {
    bool found;
    uint64_t marker = number_after(text, length, "\"name\":\"t=", &found);
    shared->rooms++;
    shared->bytes += on_wire;
    if (!found) return;
    if (at > marker) shared->lag[bucket_of((at - marker) / 1000)]++;
    if (shared->log_used < shared->log_size) {
        shared->log[shared->log_used].marker = marker;
        shared->log[shared->log_used].at = at;
        shared->log_used++;
    }
}

static void open_shared(const char *path) {
    int file = open(path, O_RDWR);
    struct stat about;
    if (file < 0 || fstat(file, &about)) fail("counters");
    shared = mmap(NULL, (size_t)about.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (shared == MAP_FAILED) fail("mmap");
    shared->log_size = ((size_t)about.st_size - sizeof *shared) / sizeof shared->log[0];
    shared->began = now_ns();
}

#endif
