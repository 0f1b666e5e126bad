/* What the kernel says of itself: files of /proc and /sys, page flags, memory blocks. */

#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files that are read again and again stay open: the kernel then keeps its buffer for them,
 * and a reading takes no memory when there is none. */
static const char *const sampled[] = {"meminfo", "zoneinfo", "buddyinfo", "vmstat", "slabinfo"};
#define LOG_SPACE (1 << 20)
#define TEXT_SPACE (64 << 10)
#define FLAGS 8192
#define SAMPLED (sizeof sampled / sizeof *sampled)

static int sampled_file[SAMPLED], page_flags = -1;
static uint64_t runs[2 * 512];

/* In a mapping of their own, from the start: nothing is asked for when memory is out. */
static struct buffers {
	char text[TEXT_SPACE];
	uint64_t flags[FLAGS];
} *buffers;

static ssize_t read_some(int file, void *space, size_t length)
{
	ssize_t got;

	do
		got = read(file, space, length);
	while (got < 0 && errno == EINTR);
	return got;
}

static void add_file(int file)
{
	ssize_t got;

	while ((got = read_some(file, buffers->text, TEXT_SPACE)) > 0)
		frame_add(buffers->text, (size_t)got);
}

void observe_start(void)
{
	buffers = mmap(NULL, sizeof *buffers, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (buffers == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	for (size_t i = 0; i < SAMPLED; i++) {
		char path[PATH_SPACE];

		snprintf(path, sizeof path, "/proc/%s", sampled[i]);
		sampled_file[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (sampled_file[i] < 0)
			die("%s: %s", path, strerror(errno));
	}
	page_flags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	if (page_flags < 0)
		die("kpageflags: %s", strerror(errno));
}

/* Send a file where the kernel has it; not every kernel has every file. */
void frame_file(const char *path, const char *file)
{
	int from = open(file, O_RDONLY | O_CLOEXEC);

	if (from < 0)
		return;
	frame_open(path);
	add_file(from);
	frame_close();
	close(from);
}

/* Send the kernel's log without the level in front of each line. */
void frame_kernel_log(const char *path)
{
	char *log = malloc(LOG_SPACE);
	int length = log ? klogctl(3, log, LOG_SPACE) : 0;
	char *line = log, *end = log + (length < 0 ? 0 : length);

	frame_open(path);
	while (line < end) {
		char *next = memchr(line, '\n', (size_t)(end - line));
		char *close = *line == '<' ? memchr(line, '>', (size_t)(end - line)) : NULL;

		next = next ? next + 1 : end;
		if (close && close < next)
			line = close + 1;
		frame_add(line, (size_t)(next - line));
		line = next;
	}
	frame_close();
	free(log);
}

/* Send the flags of pages, run-length coded: pairs of 64-bit words, flags and pages. */
void frame_page_flags(const char *path, uint64_t first, uint64_t pages)
{
	uint64_t *flags = buffers->flags, word = 0, length = 0;
	size_t used = 0;

	frame_open(path);
	while (pages) {
		uint64_t want = pages < FLAGS ? pages : FLAGS;
		ssize_t got = pread(page_flags, flags, want * 8, (off_t)(first * 8));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		for (ssize_t i = 0; i < got / 8; i++) {
			if (length && flags[i] == word) {
				length++;
				continue;
			}
			if (length) {
				runs[used++] = word;
				runs[used++] = length;
			}
			if (used == sizeof runs / sizeof *runs) {
				frame_add(runs, used * 8);
				used = 0;
			}
			word = flags[i];
			length = 1;
		}
		first += (uint64_t)got / 8;
		pages -= (uint64_t)got / 8;
	}
	if (length) {
		runs[used++] = word;
		runs[used++] = length;
	}
	frame_add(runs, used * 8);
	frame_close();
}

static void frame_blocks(const char *path)
{
	struct block *blocks;
	int count = list_blocks(&blocks);

	if (count <= 0)
		return;
	frame_open(path);
	frame_add("# block phys_index state valid_zones removable node\n", 52);
	for (int i = 0; i < count; i++) {
		struct block *b = &blocks[i];
		char line[PATH_SPACE];
		int length = snprintf(line, sizeof line, "memory%d %08lx %s %s %s node%d\n", b->number,
				      b->index, b->state, b->zones, b->removable, b->node);

		frame_add(line, (size_t)length);
	}
	frame_close();
}

/* Send everything that belongs to a stage. */
void observe(const char *stage)
{
	static const char *const files[] = {"meminfo", "zoneinfo", "buddyinfo", "pagetypeinfo",
					    "vmstat",  "slabinfo", "iomem"};
	char path[PATH_SPACE], file[PATH_SPACE];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", stage, files[i]);
		snprintf(file, sizeof file, "/proc/%s", files[i]);
		frame_file(path, file);
	}
	snprintf(path, sizeof path, "%s/blocks", stage);
	frame_blocks(path);
	for (int node = 0; node < 64; node++) {
		snprintf(path, sizeof path, "%s/node%d-meminfo", stage, node);
		snprintf(file, sizeof file, "/sys/devices/system/node/node%d/meminfo", node);
		frame_file(path, file);
	}
}

/* Send one moment of a load. */
void sample(const char *series, int index, long operations, const char *note)
{
	char line[PATH_SPACE];

	snprintf(line, sizeof line, "ts/%s/%04d", series, index);
	frame_open(line);
	snprintf(line, sizeof line, "## sample %d ops=%ld t=%.3f note=%s\n", index, operations,
		 seconds_now(), note);
	frame_add(line, strlen(line));
	for (size_t i = 0; i < SAMPLED; i++) {
		snprintf(line, sizeof line, "## file /proc/%s\n", sampled[i]);
		frame_add(line, strlen(line));
		lseek(sampled_file[i], 0, SEEK_SET);
		add_file(sampled_file[i]);
	}
	frame_close();
}
