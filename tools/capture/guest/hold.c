/* Memory that is held while blocks are tried: parts such as anon600,files200000. */

#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_BYTES MIB
#define MOST_HOLDERS 8

static pid_t holders[MOST_HOLDERS];
static int holder_count;

static char *touch(long mib)
{
	size_t length = (size_t)mib * MIB;
	char *area = mmap(NULL, length, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (area == MAP_FAILED)
		die("mmap of %ld MiB: %s", mib, strerror(errno));
	madvise(area, length, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < length; at += PAGE)
		area[at] = 1;
	return area;
}

static void hold_anonymous(long mib)
{
	touch(mib);
	say("touched %ld MiB", mib);
}

/* Gift pages to pipes by vmsplice: each keeps a reference that no migration can follow. */
static void hold_pinned(long mib)
{
	char *area = touch(mib);
	long pages = 0;

	for (long at = 0; at < mib; at++) {
		struct iovec piece = {area + at * PIPE_BYTES, PIPE_BYTES};
		int ends[2];
		ssize_t taken;

		if (pipe2(ends, O_CLOEXEC) || fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES) < 0)
			die("a pipe of 1 MiB: %s", strerror(errno));
		taken = vmsplice(ends[1], &piece, 1, SPLICE_F_NONBLOCK);
		if (taken > 0)
			pages += taken / PAGE;
	}
	say("pinned %ld pages", pages);
}

static void hold_tmpfs(long mib)
{
	int file = open("/load/held", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	char *piece = touch(1);

	for (long at = 0; at < mib; at++)
		if (write(file, piece, MIB) != MIB)
			die("tmpfs: %s", strerror(errno));
	say("wrote %ld MiB of tmpfs", mib);
}

static void hold_files(long count)
{
	char path[PATH_SPACE];

	for (long n = 0; n < count; n++) {
		int file;

		snprintf(path, sizeof path, "/load/h%ld", n / 5000);
		if (n % 5000 == 0 && mkdir(path, 0755))
			die("mkdir: %s", strerror(errno));
		snprintf(path, sizeof path, "/load/h%ld/%ld", n / 5000, n);
		file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
		if (file < 0)
			die("open: %s", strerror(errno));
		close(file);
	}
	say("made %ld files", count);
}

/* Reserve huge pages; they stay in the kernel's pool, and nobody maps them. */
static void hold_huge(long count)
{
	char line[40];

	snprintf(line, sizeof line, "%ld", count);
	put_text("/proc/sys/vm/nr_hugepages", line);
	get_line("/proc/sys/vm/nr_hugepages", line, sizeof line);
	say("reserved %s huge pages", line);
}

static int hold_part(const char *part)
{
	static const struct {
		const char *word;
		void (*hold)(long amount);
	} kinds[] = {
		{"anon", hold_anonymous}, {"pin", hold_pinned}, {"tmpfs", hold_tmpfs},
		{"files", hold_files},	  {"huge", hold_huge},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		size_t length = strlen(kinds[i].word);

		if (!strncmp(part, kinds[i].word, length) && part[length] >= '0' &&
		    part[length] <= '9') {
			kinds[i].hold(strtol(part + length, NULL, 10));
			return 1;
		}
	}
	return 0;
}

/* Start one process for each part, and wait until it holds what it should. */
void hold(const char *what)
{
	char parts[200], *rest = parts, *part;

	snprintf(parts, sizeof parts, "%s", what);
	while ((part = strsep(&rest, ",")) && *part && holder_count < MOST_HOLDERS) {
		int ready[2];
		char byte;
		pid_t child;

		if (pipe2(ready, O_CLOEXEC))
			die("pipe: %s", strerror(errno));
		child = fork();
		if (child < 0)
			die("fork: %s", strerror(errno));
		if (!child) {
			die_with_parent();
			survive(1000);
			close(ready[0]);
			if (!hold_part(part))
				die("no load '%s'", part);
			if (write(ready[1], "", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		close(ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			say("HM: the load %s was killed", part);
		close(ready[0]);
		holders[holder_count++] = child;
	}
}

/* End what is held. */
void release(void)
{
	for (; holder_count > 0; holder_count--) {
		kill(holders[holder_count - 1], SIGKILL);
		waitpid(holders[holder_count - 1], NULL, 0);
	}
	put_text("/proc/sys/vm/nr_hugepages", "0");
}
