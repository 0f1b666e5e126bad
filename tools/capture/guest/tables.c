/* Loads that fill the kernel's zones with page tables: hm.scen=pt. One operation maps 2 MiB, or
 * in procs and procs-sparse is one more process. */

#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define GIB (1UL << 30)

/* Reserve address space that begins at a page table's first entry. */
static char *reserve(struct load *load, size_t length, int flags)
{
	char *area = mmap(NULL, length + TWO_MIB, PROT_READ | PROT_WRITE,
			  flags | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *start = (char *)(((uintptr_t)area + TWO_MIB - 1) & ~(uintptr_t)(TWO_MIB - 1));

	if (area == MAP_FAILED)
		load_failed(load, errno, "mmap");
	if (start > area)
		munmap(area, (size_t)(start - area));
	munmap(start + length, TWO_MIB - (size_t)(start - area));
	madvise(start, length, MADV_NOHUGEPAGE);
	return start;
}

static void touch_sparsely(struct load *load, int write)
{
	size_t length = sizeof(long) == 8 ? 1UL << 45 : GIB;
	volatile char *area = reserve(load, length, MAP_PRIVATE);

	for (size_t at = 0; at < length; at += TWO_MIB) {
		if (write)
			area[at] = 1;
		else
			(void)area[at];
		operations_done(load, 1);
	}
}

static void sparse_zero(struct load *load)
{
	touch_sparsely(load, 0);
}

static void sparse_write(struct load *load)
{
	touch_sparsely(load, 1);
}

/* Write every page of one mapping. */
static void dense(struct load *load)
{
	size_t length = (size_t)number("mb", 1024) * MIB;
	volatile char *area = reserve(load, length, MAP_PRIVATE);

	for (size_t at = 0; at < length; at += TWO_MIB) {
		for (size_t page = 0; page < TWO_MIB && at + page < length; page += PAGE)
			area[at + page] = 1;
		operations_done(load, 1);
	}
}

/* Map the same 2 MiB again and again, each time with a page table of its own. */
static void shared(struct load *load)
{
	int file = memfd_create("shared", MFD_CLOEXEC);
	char *next = (char *)(uintptr_t)(64 * GIB);

	if (file < 0 || ftruncate(file, TWO_MIB))
		load_failed(load, errno, "memfd");
	for (;; next += TWO_MIB) {
		char *area = mmap(next, TWO_MIB, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0);

		if (area == MAP_FAILED)
			load_failed(load, errno, "mmap");
		madvise(area, TWO_MIB, MADV_NOHUGEPAGE);
		if (madvise(area, TWO_MIB, MADV_POPULATE_READ))
			load_failed(load, errno, "populate");
		operations_done(load, 1);
	}
}

static void touch_all(volatile char *area, size_t length, size_t stride)
{
	for (size_t at = 0; at < length; at += stride)
		(void)area[at];
}

/* Start one more process and wait until it has touched its memory. */
static void one_more(struct load *load, int ready, char *segment, size_t length)
{
	struct pollfd events[2] = {{.fd = ready, .events = POLLIN}, {.events = POLLIN}};
	pid_t child = fork();
	uint64_t one = 1;

	if (child < 0)
		load_failed(load, errno, "fork");
	if (!child) {
		die_with_parent();
		if (segment)
			touch_all(segment, length, PAGE);
		else
			touch_all(reserve(load, length, MAP_PRIVATE), length, TWO_MIB);
		if (write(ready, &one, sizeof one) != sizeof one)
			_exit(1);
		for (;;)
			pause();
	}
	events[1].fd = pidfd_open(child, 0);
	while (poll(events, 2, -1) < 0 && errno == EINTR)
		;
	close(events[1].fd);
	if (waitpid(-1, NULL, WNOHANG) > 0)
		load_failed(load, ENOMEM, "a mapping process was killed");
	if (read(ready, &one, sizeof one) != sizeof one)
		load_failed(load, errno, "a mapping process said nothing");
	operations_done(load, 1);
}

static void many_processes(struct load *load, int sparse)
{
	size_t length = (size_t)number("mb", 256) * MIB;
	char *segment = sparse ? NULL : reserve(load, length, MAP_SHARED);
	int ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (segment)
		touch_all(segment, length, PAGE);
	for (;;)
		one_more(load, ready, segment, length);
}

static void processes_sharing(struct load *load)
{
	many_processes(load, 0);
}

static void processes_sparse(struct load *load)
{
	many_processes(load, 1);
}

load_function find_table_load(const char *kind)
{
	static const struct {
		const char *kind;
		load_function function;
	} loads[] = {
		{"sparse-zero", sparse_zero}, {"sparse-write", sparse_write},
		{"shared", shared},	      {"procs", processes_sharing},
		{"dense", dense},	      {"procs-sparse", processes_sparse},
	};

	for (size_t i = 0; i < sizeof loads / sizeof *loads; i++)
		if (!strcmp(loads[i].kind, kind))
			return loads[i].function;
	return NULL;
}
