"""The guest program's own C, run on this machine: its stream, its coding of page flags."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from itertools import groupby

import pytest

from tools.capture.image import FLAGS, GUEST
from tools.capture.stream import FrameStream

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")

HARNESS = """
#include "{guest}/stream.c"
#include "{guest}/observe.c"
#include <stdarg.h>

int list_blocks(struct block **blocks) {{ *blocks = NULL; return 0; }}
void survive(int adjustment) {{ (void)adjustment; }}
void sleep_seconds(double seconds) {{ (void)seconds; }}
double seconds_now(void) {{ return 1.5; }}
void die(const char *format, ...) {{ (void)format; _exit(3); }}

int main(int count, char **words)
{{
	struct buffers space;

	buffers = &space;
	port = 1;
	fill_crc_table();
	page_flags = open(words[1], O_RDONLY);
	frame_page_flags("kpf/all", 0, UINT64_MAX);
	frame_page_flags("kpf/part", 5, 8);
	frame_page_flags("kpf/beyond", 1 << 30, 8);
	frame_file("a/file", words[0]);
	frame_file("a/missing", "no such file");
	frame_text("text", "words\\n");
	stream_done("done");
	return count != 2;
}}
"""


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """Compile the guest's own sources around a main of the test's; return flags and frames."""
    folder = tmp_path_factory.mktemp("guest")
    source, program, pages = folder / "harness.c", folder / "harness", folder / "pages"
    source.write_text(HARNESS.format(guest=GUEST))
    flags = [f for f in FLAGS if f not in ("-O2", "-static", "-s")]
    subprocess.run(["gcc", *flags, "-o", str(program), str(source)], check=True, timeout=60)
    dice = random.Random(7)
    words: list[int] = []
    for _ in range(5000):
        words += [dice.choice([0, 1 << 10, 1 << 63])] * dice.choice([1, 1, 2, 600])
    pages.write_bytes(struct.pack(f"<{len(words)}Q", *words))
    done = subprocess.run([str(program), str(pages)], capture_output=True, check=True, timeout=60)
    stream = FrameStream()
    stream.feed(done.stdout)
    assert stream.ended == "done"
    return words, stream.frames, program


def coded(words):
    return [(word, len(list(run))) for word, run in groupby(words)]


def test_page_flags_are_coded_in_runs(frames):
    words, sent, _ = frames
    assert list(struct.iter_unpack("<QQ", sent["kpf/all"])) == coded(words)
    assert len(coded(words)) > 1000


def test_a_part_of_the_pages_is_sent_alone(frames):
    words, sent, _ = frames
    assert list(struct.iter_unpack("<QQ", sent["kpf/part"])) == coded(words[5:13])
    assert sent["kpf/beyond"] == b""


def test_files_arrive_as_they_are(frames):
    _, sent, program = frames
    assert sent["a/file"] == program.read_bytes()
    assert "a/missing" not in sent
    assert sent["text"] == b"words\n"
