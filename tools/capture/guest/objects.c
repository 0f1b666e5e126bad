/* Loads that fill the kernel's zones with objects: hm.scen=meta. */

#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMES_IN_A_FOLDER 5000
#define MISSING_NAME 125

/* Name the Nth entry of many, and make a new folder for every 5,000. */
static void name_entry(struct load *load, long n, char *path, size_t space)
{
	snprintf(path, space, "/load/d%ld", n / NAMES_IN_A_FOLDER);
	if (n % NAMES_IN_A_FOLDER == 0 && mkdir(path, 0755))
		load_failed(load, errno, "mkdir of a folder");
	snprintf(path, space, "/load/d%ld/%ld", n / NAMES_IN_A_FOLDER, n);
}

static void files(struct load *load)
{
	char path[PATH_SPACE];

	for (long n = 0;; n++) {
		int file;

		name_entry(load, n, path, sizeof path);
		file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
		if (file < 0)
			load_failed(load, errno, "open");
		close(file);
		operations_done(load, 1);
	}
}

static void directories(struct load *load)
{
	char path[PATH_SPACE];

	for (long n = 0;; n++) {
		name_entry(load, n, path, sizeof path);
		if (mkdir(path, 0755))
			load_failed(load, errno, "mkdir");
		operations_done(load, 1);
	}
}

static void sockets(struct load *load)
{
	for (;;) {
		int pair[2], error = park_pair(pair);

		if (error)
			load_failed(load, error, "socketpair or send");
		operations_done(load, 1);
	}
}

static void pipes(struct load *load)
{
	static const char four_pages[4 * PAGE];

	for (;;) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) ||
		    write(ends[1], four_pages, sizeof four_pages) != sizeof four_pages)
			load_failed(load, errno, "pipe or write");
		operations_done(load, 1);
	}
}

/* Change the protection of every second page: each call cuts two more mappings off the rest. */
static void mappings(struct load *load)
{
	size_t length = (sizeof(long) == 8 ? 1UL << 38 : 1UL << 30) & ~(size_t)(PAGE - 1);
	char *area = mmap(NULL, length, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (area == MAP_FAILED)
		load_failed(load, errno, "mmap");
	for (size_t at = PAGE; at + PAGE < length; at += 2 * PAGE) {
		if (mprotect(area + at, PAGE, PROT_READ))
			load_failed(load, errno, "mprotect");
		operations_done(load, 2);
	}
}

static void processes(struct load *load)
{
	for (;;) {
		pid_t child = fork();

		if (child < 0)
			load_failed(load, errno, "fork");
		if (!child) {
			/* Its folder in /proc is part of what such a process costs here. */
			die_with_parent();
			survive(1000);
			for (;;)
				pause();
		}
		operations_done(load, 1);
		if (waitpid(-1, NULL, WNOHANG) > 0)
			load_failed(load, ENOMEM, "a sleeping process was killed");
	}
}

/* Look for names that are not there: each leaves a negative dentry, which can be reclaimed. */
static void missing_names(struct load *load)
{
	char path[PATH_SPACE];
	struct stat status;

	if (mkdir("/disk", 0755) || mount("/dev/vda", "/disk", argument("fs", "ext4"), 0, ""))
		load_failed(load, errno, "mount of the disk");
	for (long n = 0;; n++) {
		snprintf(path, sizeof path, "/disk/%0*ld", MISSING_NAME, n);
		if (!stat(path, &status) || errno != ENOENT)
			load_failed(load, errno, "stat");
		operations_done(load, 1);
	}
}

load_function find_object_load(const char *kind)
{
	static const struct {
		const char *kind;
		load_function function;
	} loads[] = {
		{"files", files},	{"dirs", directories}, {"sockets", sockets},
		{"pipes", pipes},	{"vmas", mappings},    {"procs", processes},
		{"negdentry", missing_names},
	};

	for (size_t i = 0; i < sizeof loads / sizeof *loads; i++)
		if (!strcmp(loads[i].kind, kind))
			return loads[i].function;
	return NULL;
}
