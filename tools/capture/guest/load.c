/*
 * A load and its reporter. The load is a child that says every hm.step operations that it waits;
 * the reporter, process 1, samples and lets it go on. The child is the first that the OOM killer
 * takes, the reporter the last; socket pairs parked beforehand are let go when the load is dead,
 * so that there is memory to report with. The child inherits them, so a process that it starts
 * has a table of file descriptors as long as their number asks for.
 */

#include "guest.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DATAGRAMS 10
#define DATAGRAM_BYTES 3400
#define MOST_PARKED 2000

struct load {
	volatile long operations;
	volatile int done, error;
	char note[120];
	long step, most;
	int waits, go_on;
	const char *volatile moment;
};

static int parked[MOST_PARKED][2];
static long parked_pairs;

/* A pair of unix sockets with ten datagrams parked in it; 0, or the error. */
int park_pair(int pair[2])
{
	static const char datagram[DATAGRAM_BYTES];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		return errno;
	for (int i = 0; i < DATAGRAMS; i++)
		if (send(pair[0], datagram, sizeof datagram, MSG_DONTWAIT) < 0)
			return errno;
	return 0;
}

void park_sockets(long pairs)
{
	for (parked_pairs = 0; parked_pairs < pairs && parked_pairs < MOST_PARKED; parked_pairs++)
		if (park_pair(parked[parked_pairs]))
			die("parked only %ld socket pairs: %s", parked_pairs, strerror(errno));
}

static void unpark_sockets(void)
{
	for (; parked_pairs > 0; parked_pairs--) {
		close(parked[parked_pairs - 1][0]);
		close(parked[parked_pairs - 1][1]);
	}
}

static void wait_for_reporter(struct load *load, const char *moment)
{
	uint64_t one = 1;

	load->moment = moment;
	if (write(load->waits, &one, sizeof one) != sizeof one ||
	    read(load->go_on, &one, sizeof one) != sizeof one)
		_exit(2);
}

static void finish(struct load *load) __attribute__((noreturn));
static void finish(struct load *load)
{
	load->done = 1;
	wait_for_reporter(load, "end");
	_exit(0);
}

/* Count operations; every so many, let the reporter look. Ends the load when it did enough. */
void operations_done(struct load *load, long operations)
{
	long before = load->operations / load->step;

	load->operations += operations;
	if (load->operations / load->step != before)
		wait_for_reporter(load, "tick");
	if (load->operations >= load->most)
		finish(load);
}

long operations_wanted(const struct load *load)
{
	return load->most;
}

void load_failed(struct load *load, int error, const char *note)
{
	load->error = error;
	snprintf(load->note, sizeof load->note, "%s: %s", note, strerror(error));
	finish(load);
}

static pid_t start(struct load *load, load_function function)
{
	pid_t child = fork();

	if (child < 0)
		die("fork: %s", strerror(errno));
	if (child)
		return child;
	die_with_parent();
	survive(1000);
	wait_for_reporter(load, "start");
	function(load);
	finish(load);
}

static void look_closely(const char *kind)
{
	char path[PATH_SPACE];

	snprintf(path, sizeof path, "kpf/%s/near", kind);
	frame_page_flags(path, 0, UINT64_MAX);
	snprintf(path, sizeof path, "near/%s/pagetypeinfo", kind);
	frame_file(path, "/proc/pagetypeinfo");
}

/* Sample whenever the load waits, until it is gone; returns how often. */
static int follow(struct load *load, const char *kind, pid_t child)
{
	struct pollfd events[2] = {{.fd = load->waits, .events = POLLIN}, {.events = POLLIN}};
	long near_kb = number("NEAR_KB", 8192), before_kb = kernel_room_kb();
	int taken = 0, looked = 0;

	events[1].fd = pidfd_open(child, 0);
	for (;;) {
		uint64_t one;
		long room_kb;

		if (poll(events, 2, -1) < 0)
			continue;
		if (!(events[0].revents & POLLIN))
			break;
		if (read(load->waits, &one, sizeof one) != sizeof one)
			continue;
		sample(kind, taken++, load->operations, load->moment);
		room_kb = kernel_room_kb();
		/* Near is little room, or so little that one more step may be the last. */
		if (!looked && (room_kb <= near_kb || room_kb <= (before_kb - room_kb) * 3 / 2)) {
			look_closely(kind);
			looked = 1;
		}
		before_kb = room_kb;
		one = 1;
		if (write(load->go_on, &one, sizeof one) != sizeof one)
			die("the load cannot be told to go on");
	}
	close(events[1].fd);
	return taken;
}

static void report(const struct load *load, const char *kind, int status, double seconds,
		   double reaping)
{
	char path[PATH_SPACE], text[LINE_SPACE];

	snprintf(path, sizeof path, "result/%s", kind);
	snprintf(text, sizeof text,
		 "{\"load\":\"%s\",\"ops\":%ld,\"done\":%d,\"errno\":%d,\"signal\":%d,\"exit\":%d,"
		 "\"seconds\":%.3f,\"reap_seconds\":%.3f,\"note\":\"%s\",\"aux\":[0,0,0,0]}\n",
		 kind, load->operations, load->done, load->error,
		 WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		 WIFEXITED(status) ? WEXITSTATUS(status) : -1, seconds, reaping, load->note);
	frame_text(path, text);
	printf("%s", text);
	fflush(stdout);
}

void run_load(const char *kind, load_function function)
{
	struct load *load = mmap(NULL, sizeof *load, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	double started = seconds_now(), ended;
	int taken, status = 0;
	pid_t child;

	if (load == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	load->step = number("step", 1000);
	load->most = number("max", 1L << 30);
	load->waits = eventfd(0, EFD_CLOEXEC);
	load->go_on = eventfd(0, EFD_CLOEXEC);
	if (load->step < 1 || load->waits < 0 || load->go_on < 0)
		die("a load needs a step and two event counters");
	if (!number("NOBALLAST", 0))
		park_sockets(number("BALL", 40));
	/* Where the kernel put the program's areas decides how many page tables a copy costs. */
	frame_file("maps", "/proc/self/maps");
	mark("load %s", kind);
	child = start(load, function);
	taken = follow(load, kind, child);
	waitpid(child, &status, 0);
	ended = seconds_now();
	unpark_sockets();
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	sample(kind, taken, load->operations, "dead");
	report(load, kind, status, ended - started, seconds_now() - ended);
	mark("load over");
	observe("end");
	frame_page_flags("kpf/end", 0, UINT64_MAX);
}
