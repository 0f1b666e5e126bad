/* The program that runs as process 1 of a captured machine; docs/capturing.md tells the whole. */

#ifndef GUEST_H
#define GUEST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define PAGE 4096L
#define MIB (1L << 20)
#define TWO_MIB (2 * MIB)
#define PATH_SPACE 256
#define LINE_SPACE 1024

/* main.c: arguments and small help. */
const char *argument(const char *name, const char *otherwise);
long number(const char *name, long otherwise);
double seconds_now(void);
void sleep_seconds(double seconds);
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void mark(const char *format, ...) __attribute__((format(printf, 1, 2)));
int put_text(const char *path, const char *text);
int get_line(const char *path, char *line, size_t space);
void survive(int adjustment);
void die_with_parent(void);

/* stream.c: records to the host, and what it answers. */
void stream_start(void);
void frame_open(const char *path);
void frame_add(const void *data, size_t length);
void frame_close(void);
void frame_text(const char *path, const char *text);
const char *ask(const char *format, ...) __attribute__((format(printf, 1, 2)));
void stream_done(const char *how);

/* observe.c: what the kernel says, as frames. */
struct block {
	int number;
	unsigned long index;
	char state[20], zones[60], removable[8];
	int node;
};

void observe_start(void);
void frame_file(const char *path, const char *file);
void frame_kernel_log(const char *path);
void frame_page_flags(const char *path, uint64_t first, uint64_t pages);
void observe(const char *stage);
void sample(const char *series, int index, long operations, const char *note);

/* zones.c: how much memory is left. */
void zones_start(void);
long zone_free(const char *name);
long kernel_room_kb(void);

/* blocks.c: memory blocks. */
int list_blocks(struct block **blocks);
uint64_t block_pages(void);
int set_block(int number, const char *state);
int try_block(int number, const char *state, double limit, char *result, size_t space);
void read_block(int number, struct block *block);
void sweep(void);

/* load.c: a load and its reporter. */
struct load;
typedef void (*load_function)(struct load *load);
void operations_done(struct load *load, long operations);
long operations_wanted(const struct load *load);
void load_failed(struct load *load, int error, const char *note) __attribute__((noreturn));
void run_load(const char *kind, load_function function);
load_function find_object_load(const char *kind);
load_function find_table_load(const char *kind);
void park_sockets(long pairs);
int park_pair(int pair[2]);

/* hold.c: memory held while blocks are tried. */
void hold(const char *what);
void release(void);

/* hotplug.c */
void hot_add(void);
void grow(void);

#endif
