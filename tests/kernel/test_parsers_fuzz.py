"""Whatever a file holds, it is read or refused in one line that names it: no other error, no hang.

The same inputs come every time; `python -m tools.fuzz_parsers` makes as many more as one likes.
"""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel import lines
from tests.kernel.parser_targets import (
    PATH,
    READ,
    REFUSED,
    Target,
    find_targets,
    judge,
    judge_archive,
    judge_capture,
    make_input,
)

TARGETS = {target.name: target for target in find_targets()}
TEXTS = sorted(TARGETS.keys() - {"srat", "srat-mended", "runs", "raw-flags", "json"})
ROUNDS = 60


def outcome(target: Target, data: bytes) -> str:
    return judge(lambda: target.parse(data))


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_undamaged_files_are_read(name):
    target = TARGETS[name]
    assert target.seeds
    assert {outcome(target, seed) for seed in target.seeds} == {READ}


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_damaged_files_are_read_or_refused(name):
    target = TARGETS[name]
    outcomes = [
        outcome(target, make_input(target, random.Random(f"{name}/{i}"))) for i in range(ROUNDS)
    ]
    assert [o for o in outcomes if o not in (READ, REFUSED)] == []
    assert {READ, REFUSED} == set(outcomes), "damage that always or never shows tests nothing"


@pytest.mark.parametrize("name", sorted(TARGETS))
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_cut_any_text_any_bytes(name, data):
    target = TARGETS[name]
    seed = data.draw(st.sampled_from(target.seeds))
    at = data.draw(st.integers(0, len(seed)))
    stray = data.draw(st.one_of(st.binary(max_size=60), st.text(max_size=40).map(str.encode)))
    rest = seed[data.draw(st.integers(at, len(seed))) :]
    for made in (seed[:at], stray, seed[:at] + stray + rest):
        assert outcome(target, made) in (READ, REFUSED)


def test_damaged_captures_and_archives(tmp_path):
    found = [judge_capture(random.Random(i)) for i in range(ROUNDS)]
    found += [judge_archive(tmp_path / "c.tar.xz", random.Random(i)) for i in range(ROUNDS)]
    assert [o for o in found if o not in (READ, REFUSED)] == []
    assert {READ, REFUSED} == set(found)


def huge(name: str) -> dict[str, bytes]:
    """Texts of a few megabytes that a careless reader would choke on."""
    seed = TARGETS[name].seeds[0]
    last = seed.splitlines(keepends=True)[-1]
    return {
        "a long line": b"a" * (4 << 20),
        "a long number": seed + b"9" * (4 << 20),
        "a long last line": seed.rstrip(b"\n") + b" 1" * (2 << 20),
        "no line ends": seed.replace(b"\n", b" ") * 40,
        "empty lines": seed + b"\n" * (2 << 20),
        "NUL bytes": bytes(4 << 20),
        "one line again and again": seed + last * 40_000,
        "itself again and again": seed * (1 + (1 << 20) // len(seed)),
    }


@pytest.mark.parametrize("name", TEXTS)
def test_huge_texts_are_refused_or_read_in_bearable_time(name):
    target = TARGETS[name]
    for what, data in huge(name).items():
        began = time.process_time()
        assert outcome(target, data) in (READ, REFUSED), what
        # Not a budget: what is quadratic in a line or in a text takes minutes here.
        assert time.process_time() - began < 20, what


CONSOLE_BOMBS = [
    "x" * 60_000 + " invoked oom-killer",
    " invoked oom-killer: gfp_mask=0x0" * 2_000,
    "setup_percpu:" * 5_000,
    "[" * 60_000,
    "lowmem_reserve[]:" + " 1" * 30_000,
    "Node 0 DMA free:" + "1" * 60_000,
    "Freeing " + "memory: " * 8_000,
    "Early memory node ranges\n  node   0: [mem 0x" + "0" * 60_000,
]


@pytest.mark.parametrize("bomb", CONSOLE_BOMBS, ids=lambda b: b[:16].strip())
def test_no_line_of_a_log_keeps_the_reader_busy(bomb):
    """Each bomb is a line on which a backtracking expression takes quadratic time."""
    real = TARGETS["console"].seeds[0].decode()
    head = real[: real.index("Early memory")]
    began = time.process_time()
    text = f"{head}x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0\n" + f"{bomb}\n" * 50
    assert outcome(TARGETS["console"], text.encode()) in (READ, REFUSED)
    assert time.process_time() - began < 20


def zones(count: int) -> bytes:
    zone = (
        "Node {}, zone   Normal\n  pages free     1\n        boost    0\n        min      0\n"
        "        low      0\n        high     0\n        spanned  0\n        present  0\n"
        "        managed  0\n        protection: (0)\n"
    )
    return "".join(zone.format(i) for i in range(count)).encode()


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("zoneinfo", zones(9000), "line 81921: no kernel has such a zone, or so many"),
        ("vmstat", b"\n" * (lines.MAX_LINES + 1), "line 1000001: more than 1,000,000 lines"),
        ("vmstat", b"a 1\nb " + b"1" * 9000, "line 2: a line of 9,002 characters"),
        ("meminfo", b"MemTotal: 1 kB\nMem\0Free: 1 kB", "line 2: characters that no kernel prints"),
        ("buddyinfo", b"Node 0, zone DMA 1 2 \xff", "line 1: not a text"),
        ("vmstat", b"a 1\nb 1\na 1\n", "line 3: not a counter of vmstat, or its second: 'a 1'"),
        ("json", b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        ("json", b'{"a": ' + b"9" * 30 + b"}", "not JSON (a number of 30 digits)"),
        ("json", b'{"a": NaN}', "not JSON"),
        ("json", b"[" * 200_000, "not JSON"),
        ("json", b" " * (2 << 20), "2,097,152 bytes are too many for it"),
        ("raw-flags", bytes(15), "the word at byte 8 is cut off"),
    ],
)
def test_what_is_refused_is_named(name, data, says):
    with pytest.raises(CaptureError) as error:
        TARGETS[name].parse(data)
    assert str(error.value).startswith(PATH)
    assert says in str(error.value)
