/* Memory blocks: their list, changes of their state under a time limit, and the sweep. */

#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "/sys/devices/system/memory"
#define SWEEP_LINE 400

static struct block *found;
static int found_space;

static int node_of(int number)
{
	char path[PATH_SPACE];
	DIR *folder;
	struct dirent *entry;
	int node = 0;

	snprintf(path, sizeof path, FOLDER "/memory%d", number);
	folder = opendir(path);
	while (folder && (entry = readdir(folder)))
		if (sscanf(entry->d_name, "node%d", &node) == 1)
			break;
	if (folder)
		closedir(folder);
	return node;
}

static void read_field(int number, const char *name, char *value, size_t space)
{
	char path[PATH_SPACE];

	snprintf(path, sizeof path, FOLDER "/memory%d/%s", number, name);
	get_line(path, value, space);
}

void read_block(int number, struct block *block)
{
	char index[40];

	block->number = number;
	read_field(number, "phys_index", index, sizeof index);
	block->index = strtoul(index, NULL, 16);
	read_field(number, "state", block->state, sizeof block->state);
	read_field(number, "valid_zones", block->zones, sizeof block->zones);
	read_field(number, "removable", block->removable, sizeof block->removable);
	for (char *c = block->zones; *c; c++)
		if (*c == ' ')
			*c = ',';
	block->node = node_of(number);
}

static int by_number(const void *a, const void *b)
{
	return ((const struct block *)a)->number - ((const struct block *)b)->number;
}

/* All memory blocks in order of their numbers; good until the next call. */
int list_blocks(struct block **blocks)
{
	DIR *folder = opendir(FOLDER);
	struct dirent *entry;
	int count = 0, number;

	while (folder && (entry = readdir(folder))) {
		if (sscanf(entry->d_name, "memory%d", &number) != 1)
			continue;
		if (count == found_space) {
			found_space = found_space ? 2 * found_space : 64;
			found = realloc(found, (size_t)found_space * sizeof *found);
			if (!found)
				die("no memory for a list of blocks");
		}
		found[count++].number = number;
	}
	if (folder)
		closedir(folder);
	if (count)
		qsort(found, (size_t)count, sizeof *found, by_number);
	for (int i = 0; i < count; i++)
		read_block(found[i].number, &found[i]);
	*blocks = found;
	return count;
}

uint64_t block_pages(void)
{
	char size[40];

	get_line(FOLDER "/block_size_bytes", size, sizeof size);
	return strtoull(size, NULL, 16) / PAGE;
}

/* Write a block's state; 0, or the error. */
int set_block(int number, const char *state)
{
	char path[PATH_SPACE];

	snprintf(path, sizeof path, FOLDER "/memory%d/state", number);
	return put_text(path, state);
}

/*
 * Write a block's state, and kill the writer when it does not come back in time: the kernel
 * tries for ever. Tells how it went, "rc=0 ok seconds=0.0123"; returns rc, -9 when killed.
 */
int try_block(int number, const char *state, double limit, char *result, size_t space)
{
	double start = seconds_now();
	pid_t child = fork();
	struct pollfd ended = {.events = POLLIN};
	int status, gave_up = 0, rc;

	if (child < 0)
		die("fork: %s", strerror(errno));
	if (!child) {
		survive(-1000);
		_exit(set_block(number, state));
	}
	ended.fd = pidfd_open(child, 0);
	if (ended.fd >= 0 && poll(&ended, 1, (int)(limit * 1000)) == 0) {
		gave_up = 1;
		kill(child, SIGKILL);
	}
	waitpid(child, &status, 0);
	if (ended.fd >= 0)
		close(ended.fd);
	rc = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	snprintf(result, space, "rc=%d %s seconds=%.4f%s", rc,
		 rc < 0 ? "killed" : rc ? strerror(rc) : "ok", seconds_now() - start,
		 gave_up ? " gave-up" : "");
	return rc;
}

static void sweep_block(int number, double limit, char *line, size_t space)
{
	struct block before, after;
	char path[PATH_SPACE], result[120];
	const char *back = "-";

	read_block(number, &before);
	if (strcmp(before.state, "online")) {
		snprintf(line, space, "sweep memory%d before=%s zones=%s removable=%s result: "
			 "not tried after=%s back=-\n", number, before.state, before.zones,
			 before.removable, before.state);
		return;
	}
	snprintf(path, sizeof path, "kpf/sweep/memory%d", number);
	frame_page_flags(path, before.index * block_pages(), block_pages());
	mark("offline sweep memory%d %s", number, before.zones);
	if (!try_block(number, "offline", limit, result, sizeof result))
		back = strcmp(before.zones, "Movable") ? "online_kernel" : "online_movable";
	mark("end sweep memory%d %s", number, result);
	read_block(number, &after);
	if (*back != '-' && set_block(number, back))
		back = "failed";
	snprintf(line, space, "sweep memory%d before=%s zones=%s removable=%s result: %s after=%s "
		 "back=%s\n", number, before.state, before.zones, before.removable, result,
		 after.state, back);
}

/* Take every block offline in turn, and bring back those that went. */
void sweep(void)
{
	struct block *blocks;
	int count = list_blocks(&blocks);
	double limit = (double)number("secs", 20);
	size_t space = (size_t)(count + 1) * SWEEP_LINE, used;
	char *lines = malloc(space);
	int *numbers = calloc((size_t)count + 1, sizeof *numbers);

	if (!lines || !numbers)
		die("no memory for the lines of a sweep");
	for (int i = 0; i < count; i++)
		numbers[i] = blocks[i].number;
	hold(argument("load", ""));
	sleep_seconds((double)number("settle", 0));
	observe("loaded");
	frame_page_flags("kpf/loaded", 0, UINT64_MAX);
	used = (size_t)snprintf(lines, space,
				"# tag block before zones removable result after back\n");
	for (int i = 0; i < count; i++) {
		sweep_block(numbers[i], limit, lines + used, SWEEP_LINE);
		printf("%s", lines + used);
		fflush(stdout);
		used += strlen(lines + used);
	}
	frame_text("sweep/sweep", lines);
	free(lines);
	free(numbers);
	observe("after");
}
