/* How much memory is left, as the kernel counts it. */

#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST_ZONES 64
#define MOST_COLUMNS 8
#define TEXT_SPACE (64 << 10)

struct zone {
	char name[20];
	long free, min, protection[MOST_COLUMNS];
};

static int zoneinfo = -1;
static char *text;
static struct zone zones[MOST_ZONES];

/* Open and map now what is needed when memory is out. */
void zones_start(void)
{
	zoneinfo = open("/proc/zoneinfo", O_RDONLY | O_CLOEXEC);
	text = mmap(NULL, TEXT_SPACE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (zoneinfo < 0 || text == MAP_FAILED)
		die("zoneinfo: %s", strerror(errno));
}

/* The number after a word inside one zone's part of the text; 0 where there is none. */
static long number_after(const char *from, const char *end, const char *word)
{
	const char *at = strstr(from, word);

	return at && at < end ? strtol(at + strlen(word), NULL, 10) : 0;
}

static void read_protection(const char *from, const char *end, long *columns)
{
	char *at = strstr(from, "protection: (");

	for (int i = 0; i < MOST_COLUMNS; i++)
		columns[i] = 0;
	if (!at || at >= end)
		return;
	at += strlen("protection: (");
	for (int i = 0; i < MOST_COLUMNS && *at >= '0' && *at <= '9'; i++) {
		columns[i] = strtol(at, &at, 10);
		at += strspn(at, ", ");
	}
}

static int read_zones(void)
{
	size_t used = 0;
	ssize_t got;
	int count = 0;

	lseek(zoneinfo, 0, SEEK_SET);
	while (used < TEXT_SPACE - 1 &&
	       (got = read(zoneinfo, text + used, TEXT_SPACE - 1 - used)) > 0)
		used += (size_t)got;
	text[used] = 0;
	for (char *at = strstr(text, ", zone"); at && count < MOST_ZONES;) {
		char *next = strstr(at + 1, ", zone"), *end = next ? next : text + used;
		struct zone *zone = &zones[count];

		if (sscanf(at, ", zone %19s", zone->name) == 1) {
			zone->free = number_after(at, end, "pages free");
			zone->min = number_after(at, end, "\n        min");
			read_protection(at, end, zone->protection);
			count++;
		}
		at = next;
	}
	return count;
}

/* Pages on the free lists of all zones of a name. */
long zone_free(const char *name)
{
	long pages = 0;

	for (int i = 0, count = read_zones(); i < count; i++)
		if (!strcmp(zones[i].name, name))
			pages += zones[i].free;
	return pages;
}

static int is_kernel_zone(const struct zone *zone)
{
	return !strncmp(zone->name, "DMA", 3) || !strcmp(zone->name, "Normal");
}

/* What the kernel can still take for itself from its own zones, above min and reserve, in kB. */
long kernel_room_kb(void)
{
	int count = read_zones(), column = 0;
	long pages = 0;

	while (column < count && strcmp(zones[column].name, "Normal"))
		column++;
	if (column >= MOST_COLUMNS)
		column = 0;
	for (int i = 0; i < count; i++) {
		long room = zones[i].free - zones[i].min - zones[i].protection[column];

		if (is_kernel_zone(&zones[i]) && room > 0)
			pages += room;
	}
	return pages * (PAGE / 1024);
}
