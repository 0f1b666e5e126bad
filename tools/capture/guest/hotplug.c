/* Modules of memory added while the machine runs; the host plugs them in when asked. */

#include "guest.h"

#include <errno.h>
#include <unistd.h>

#define PATIENCE 20.0
#define MOST_MODULES 64
#define MOST_ADDED 1024
#define ONLINE_LINE 300

static int added[MOST_ADDED];
static int added_count;

static int is_known(const int *numbers, int count, int number)
{
	for (int i = 0; i < count; i++)
		if (numbers[i] == number)
			return 1;
	return 0;
}

/* Plug in one module and note its blocks; returns the host's answer. */
static const char *add_module(int index, long mib, long node, int *before, int *after)
{
	struct block *blocks;
	int count = list_blocks(&blocks), wanted = (int)((uint64_t)(mib * MIB / PAGE) / block_pages());
	int *known = calloc((size_t)count + 1, sizeof *known);
	double give_up;
	const char *answer;

	if (!known)
		die("no memory for a list of blocks");
	for (int i = 0; i < count; i++)
		known[i] = blocks[i].number;
	*before = *after = count;
	answer = ask("add dimm%d %ld %ld", index, mib, node);
	for (give_up = seconds_now() + PATIENCE; !strncmp(answer, "ok", 2) && seconds_now() < give_up;
	     sleep_seconds(0.1)) {
		*after = list_blocks(&blocks);
		if (*after >= count + wanted)
			break;
	}
	sleep_seconds(0.1);
	*after = list_blocks(&blocks);
	for (int i = 0; i < *after && added_count < MOST_ADDED; i++)
		if (!is_known(known, count, blocks[i].number))
			added[added_count++] = blocks[i].number;
	free(known);
	return answer;
}

static void online_added(const char *how)
{
	size_t space = (size_t)(added_count + 1) * ONLINE_LINE, used = 0;
	char *lines = malloc(space);

	if (!lines)
		die("no memory for the lines of onlining");
	lines[0] = 0;

	for (int i = 0; i < added_count && strcmp(how, "none"); i++) {
		struct block block;
		char result[120];

		mark("online memory%d %s", added[i], how);
		try_block(added[i], how, 60, result, sizeof result);
		read_block(added[i], &block);
		used += (size_t)snprintf(lines + used, ONLINE_LINE, "%s memory%d %s -> %s %s\n", how, added[i],
					 result, block.state, block.zones);
	}
	printf("%s", lines);
	fflush(stdout);
	if (used)
		frame_text("online", lines);
	free(lines);
}

/* Ask the host to take every module out, the first added first. */
static void remove_modules(const char *frame, long modules, long wait)
{
	static char answers[MOST_MODULES * 300];
	size_t used = 0;

	for (int i = 1; i <= modules && i <= MOST_MODULES; i++) {
		mark("device_del");
		used += (size_t)snprintf(answers + used, 300, "%s\n", ask("del dimm%d %ld", i, wait));
		mark("device_del over");
	}
	frame_text(frame, answers);
}

static void stage(const char *name, int *samples, int with_pages)
{
	char path[PATH_SPACE];

	sample("hot", (*samples)++, 0, "manual");
	observe(name);
	snprintf(path, sizeof path, "kpf/%s", name);
	if (with_pages)
		frame_page_flags(path, 0, UINT64_MAX);
}

/* Add modules, bring their blocks online, load the machine, take the modules out again. */
void hot_add(void)
{
	long mib = number("mb", 512), modules = number("n", 1), wait = number("wait", 40);
	int samples = 0, before, after;

	sample("hot", samples++, 0, "manual");
	for (int i = 1; i <= modules; i++) {
		mark("hot-add");
		say("%s", add_module(i, mib, number("node", 0), &before, &after));
	}
	stage("added", &samples, 0);
	online_added(argument("how", "online"));
	stage("onlined", &samples, 1);
	hold(argument("load", ""));
	sleep_seconds((double)number("settle", 0));
	stage("loaded", &samples, 1);
	for (int i = 0; i < added_count; i++) {
		struct block block;
		char path[PATH_SPACE];

		read_block(added[i], &block);
		snprintf(path, sizeof path, "kpf/before/memory%d", added[i]);
		frame_page_flags(path, block.index * block_pages(), block_pages());
	}
	remove_modules("del", modules, wait);
	stage("removed", &samples, 1);
	if (number("release", 0)) {
		release();
		remove_modules("del2", modules, wait);
		stage("removed2", &samples, 1);
	}
}

static void memory_free(char *text, size_t space)
{
	snprintf(text, space, "MemFree: %ld kB DMA=%ld DMA32=%ld Normal=%ld Movable=%ld Device=%ld",
		 (zone_free("DMA") + zone_free("DMA32") + zone_free("Normal") +
		  zone_free("Movable")) * (PAGE / 1024),
		 zone_free("DMA"), zone_free("DMA32"), zone_free("Normal"), zone_free("Movable"),
		 zone_free("Device"));
}

/* Add modules one after another until one is refused, or the machine dies of them. */
void grow(void)
{
	static char lines[MOST_MODULES * 300];
	char how[40], path[PATH_SPACE], free_text[160];
	long mib = number("mb", 1024), modules = number("n", 16);
	size_t used = 0;

	snprintf(how, sizeof how, "%s", argument("how", "online_movable"));
	sample("grow", 0, 0, "manual");
	for (int i = 1; i <= modules && i < MOST_MODULES; i++) {
		int before, after, first = added_count, onlined = 0, failed = 0;
		char *line = lines + used, answer[120];

		mark("hot-add %d", i);
		snprintf(answer, sizeof answer, "%s", add_module(i, mib, number("node", 0), &before,
								 &after));
		sample("grow-added", i, 0, "manual");
		for (int b = first; b < added_count; b++) {
			struct block block;

			set_block(added[b], how);
			read_block(added[b], &block);
			if (strcmp(block.state, "online"))
				failed++;
			else
				onlined++;
		}
		memory_free(free_text, sizeof free_text);
		used += (size_t)snprintf(line, 300, "dimm%d %s blocks %d->%d onlined=%d failed=%d %s \n",
					 i, answer, before, after, onlined, failed, free_text);
		printf("%s", line);
		fflush(stdout);
		snprintf(path, sizeof path, "grow/%d", i);
		frame_text(path, line);
		sample("grow", i, 0, "manual");
		if (strncmp(answer, "ok", 2))
			break;
	}
	frame_text("grow/all", lines);
	observe("end");
	frame_page_flags("kpf/end", 0, UINT64_MAX);
}
