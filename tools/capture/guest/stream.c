/*
 * The stream to the host, over the port of a virtio console. A record is a line
 *
 *     KIND SEQUENCE LENGTH CRC32
 *
 * and LENGTH bytes. KIND: open (a path), data, close (the length of the whole frame), ask (a
 * request, answered by one line), done (how the run ended). Pieces stay below a page, so that a
 * report needs no large allocation when memory is out.
 */

#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#define PIECE 3072

static int port = -1;
static unsigned long sequence;
static unsigned long long frame_length;
static uint32_t crc_table[256];
static char pending[PIECE];
static size_t pending_length;

static void fill_crc_table(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t value = byte;

		for (int bit = 0; bit < 8; bit++)
			value = value & 1 ? value >> 1 ^ 0xedb88320u : value >> 1;
		crc_table[byte] = value;
	}
}

static uint32_t crc32_of(const unsigned char *data, size_t length)
{
	uint32_t value = 0xffffffffu;

	for (size_t i = 0; i < length; i++)
		value = value >> 8 ^ crc_table[(value ^ data[i]) & 255];
	return value ^ 0xffffffffu;
}

static void send_all(const char *data, size_t length)
{
	while (length) {
		ssize_t sent = write(port, data, length);

		if (sent < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOMEM))
			continue;
		if (sent <= 0)
			_exit(1);
		data += sent;
		length -= (size_t)sent;
	}
}

static void send_record(const char *kind, const void *data, size_t length)
{
	static char record[PIECE + 80];
	size_t head = (size_t)snprintf(record, sizeof record, "%s %lu %zu %08x\n", kind, sequence++,
				       length, crc32_of(data, length));

	memcpy(record + head, data, length);
	send_all(record, head + length);
}

/* Find the port; the driver makes it a moment after it was loaded. */
static int open_port(void)
{
	for (int tries = 0; tries < 200; tries++) {
		DIR *devices = opendir("/dev");
		struct dirent *entry;
		char path[PATH_SPACE + 10] = "";

		while (devices && (entry = readdir(devices)))
			if (!strncmp(entry->d_name, "vport", 5))
				snprintf(path, sizeof path, "/dev/%s", entry->d_name);
		if (devices)
			closedir(devices);
		if (path[0]) {
			int file = open(path, O_RDWR | O_CLOEXEC);

			if (file >= 0)
				return file;
		}
		sleep_seconds(0.05);
	}
	return -1;
}

void stream_start(void)
{
	fill_crc_table();
	port = open_port();
	if (port < 0)
		die("no virtio port to report through");
	survive(-1000);
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall: %s", strerror(errno));
}

static void flush(void)
{
	if (pending_length)
		send_record("data", pending, pending_length);
	pending_length = 0;
}

void frame_open(const char *path)
{
	frame_length = 0;
	send_record("open", path, strlen(path));
}

void frame_add(const void *data, size_t length)
{
	const char *from = data;

	frame_length += length;
	while (length) {
		size_t part = PIECE - pending_length < length ? PIECE - pending_length : length;

		memcpy(pending + pending_length, from, part);
		pending_length += part;
		from += part;
		length -= part;
		if (pending_length == PIECE)
			flush();
	}
}

void frame_close(void)
{
	char text[24];

	flush();
	send_record("close", text, (size_t)snprintf(text, sizeof text, "%llu", frame_length));
}

void frame_text(const char *path, const char *text)
{
	frame_open(path);
	frame_add(text, strlen(text));
	frame_close();
}

/* Ask the host for something only it can do; the answer is good until the next one. */
const char *ask(const char *format, ...)
{
	static char answer[LINE_SPACE];
	char text[LINE_SPACE];
	size_t used = 0;
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof text, format, list);
	va_end(list);
	send_record("ask", text, strlen(text));
	while (used < sizeof answer - 1) {
		ssize_t got = read(port, answer + used, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			sleep_seconds(0.05);
		else if (answer[used] == '\n')
			break;
		else
			used++;
	}
	answer[used] = 0;
	return answer;
}

void stream_done(const char *how)
{
	if (port >= 0)
		send_record("done", how, strlen(how));
}
