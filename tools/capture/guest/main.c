/* Process 1: mounts, drivers, arguments, and the scenario that hm.scen names. */

#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char command_line[4096];

/* The value of hm.NAME=VALUE on the kernel's command line; good until the next call. */
const char *argument(const char *name, const char *otherwise)
{
	static char value[200];
	char key[60];
	size_t length = (size_t)snprintf(key, sizeof key, " hm.%s=", name);
	const char *found = strstr(command_line, key);

	if (!found)
		return otherwise;
	found += length;
	snprintf(value, sizeof value, "%.*s", (int)strcspn(found, " \n"), found);
	return value;
}

long number(const char *name, long otherwise)
{
	const char *text = argument(name, NULL);

	return text ? strtol(text, NULL, 10) : otherwise;
}

double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void sleep_seconds(double seconds)
{
	struct timespec rest = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

	while (nanosleep(&rest, &rest) && errno == EINTR)
		;
}

/* Print to the serial console. */
void say(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	putchar('\n');
	fflush(stdout);
}

/* Leave a mark in the kernel's own log, so that its lines can be told apart. */
void mark(const char *format, ...)
{
	char line[LINE_SPACE];
	int used = snprintf(line, sizeof line, "HM-MARK ");
	va_list list;

	va_start(list, format);
	vsnprintf(line + used, sizeof line - (size_t)used, format, list);
	va_end(list);
	put_text("/dev/kmsg", line);
}

void die(const char *format, ...)
{
	va_list list;

	printf("HM: failed: ");
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	printf("\n");
	fflush(stdout);
	if (getpid() != 1)
		_exit(1);
	stream_done("failed");
	sync();
	reboot(RB_POWER_OFF);
	_exit(1);
}

/* Write to a file of /proc or /sys; 0, or the error. */
int put_text(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	int error = 0;

	if (file < 0)
		return errno;
	if (write(file, text, strlen(text)) < 0)
		error = errno;
	close(file);
	return error;
}

/* Read the first line of a file, without its end; 0, or the error. */
int get_line(const char *path, char *line, size_t space)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	line[0] = 0;
	if (file < 0)
		return errno;
	length = read(file, line, space - 1);
	close(file);
	line[length < 0 ? 0 : length] = 0;
	line[strcspn(line, "\n")] = 0;
	return length < 0 ? EIO : 0;
}

/* Set how gladly the OOM killer takes this process: -1000 never, 1000 first. */
void survive(int adjustment)
{
	char text[20];

	snprintf(text, sizeof text, "%d", adjustment);
	put_text("/proc/self/oom_score_adj", text);
}

void die_with_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void mount_all(void)
{
	static const char *const mounts[][2] = {
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/load"},
	};

	for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
		const char *options = strcmp(mounts[i][1], "/load") ? "" : "size=0,nr_inodes=0";

		mkdir(mounts[i][1], 0755);
		if (mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, options))
			die("mount %s: %s", mounts[i][1], strerror(errno));
	}
}

static int ignore_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The host has numbered the drivers in the order in which they need each other. */
static void load_drivers(void)
{
	struct dirent **names;
	int count = scandir("/modules", &names, ignore_dots, alphasort);

	for (int i = 0; i < count; i++) {
		char path[PATH_SPACE + 20];
		int file;

		snprintf(path, sizeof path, "/modules/%s", names[i]->d_name);
		file = open(path, O_RDONLY | O_CLOEXEC);
		if (file < 0 || (syscall(SYS_finit_module, file, "", 0) && errno != EEXIST))
			die("driver %s: %s", names[i]->d_name, strerror(errno));
		close(file);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

static void lift_limits(void)
{
	struct rlimit many = {1 << 20, 1 << 20}, unlimited = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_NOFILE, &many);
	setrlimit(RLIMIT_NPROC, &unlimited);
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	put_text("/proc/sys/vm/overcommit_memory", "1");
	put_text("/proc/sys/vm/max_map_count", "2147483647");
	put_text("/proc/sys/fs/file-max", "100000000");
	put_text("/proc/sys/kernel/pid_max", sizeof(long) == 8 ? "4194304" : "32768");
	put_text("/proc/sys/kernel/threads-max", "1000000");
}

static void read_command_line(void)
{
	command_line[0] = ' ';
	if (get_line("/proc/cmdline", command_line + 1, sizeof command_line - 1))
		die("no command line");
}

static void observe_boot(void)
{
	frame_file("uptime/start", "/proc/uptime");
	frame_file("version", "/proc/version");
	frame_file("cmdline", "/proc/cmdline");
	frame_file("block_size_bytes", "/sys/devices/system/memory/block_size_bytes");
	frame_file("auto_online_blocks", "/sys/devices/system/memory/auto_online_blocks");
	frame_file("acpi/SRAT", "/sys/firmware/acpi/tables/SRAT");
	frame_kernel_log("dmesg/boot");
	observe("boot");
	frame_page_flags("kpf/boot", 0, UINT64_MAX);
}

static void run_scenario(const char *scenario)
{
	char kind[60];

	snprintf(kind, sizeof kind, "%s", argument("kind", ""));
	if (!strcmp(scenario, "boot"))
		return;
	if (!strcmp(scenario, "meta") && find_object_load(kind)) {
		run_load(kind, find_object_load(kind));
	} else if (!strcmp(scenario, "pt") && find_table_load(kind)) {
		/* Both words, for all users of huge pages; each write makes some kernels compute
		   min_free_kbytes anew. */
		put_text("/sys/kernel/mm/transparent_hugepage/enabled", "never");
		put_text("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "never");
		run_load(kind, find_table_load(kind));
	} else if (!strcmp(scenario, "sweep")) {
		sweep();
	} else if (!strcmp(scenario, "hotadd")) {
		hot_add();
	} else if (!strcmp(scenario, "growth")) {
		grow();
	} else {
		die("no scenario %s with load '%s'", scenario, kind);
	}
}

int main(void)
{
	char scenario[60];

	if (getpid() != 1) {
		fprintf(stderr, "this program is process 1 of a captured machine\n");
		return 1;
	}
	mount_all();
	read_command_line();
	load_drivers();
	lift_limits();
	stream_start();
	observe_start();
	zones_start();
	snprintf(scenario, sizeof scenario, "%s", argument("scen", "boot"));
	say("HM: scenario %s", scenario);
	observe_boot();
	run_scenario(scenario);
	frame_file("uptime/end", "/proc/uptime");
	frame_kernel_log("dmesg/end");
	stream_done("done");
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
