"""Ways to damage a text or a table of a real kernel, for tests that feed parsers with it."""

from __future__ import annotations

import random
import re

HOSTILE = [
    *(b"0", b"1", b"7", b"33", b"512"),
    *(
        b"",
        b"-1",
        b"+5",
        b"0x10",
        b"1e9",
        b"1_000",
        b"1.5",
        b"nan",
        b"None",
        b"18446744073709551615",
    ),
    *(b"18446744073709551616", b"9" * 30, b"9" * 5000, b"0" * 400, "\u0663".encode()),
    *("\u00bd".encode(), b"\x00", b"\xff", b"4294967296", b"17179869185", b"9223372036854775808"),
]
"""What may stand where a number stood."""

STRAY = [
    *(b"\x00", b"\r", b"\r\n", b"\n", b"\t", b"\x0b", b"\x0c", b"\x1c", b"\x1b[2J", b"\xfe\xff"),
    *(
        "\u2028".encode(),
        "\ufeff".encode(),
        b" ",
        b":",
        b",",
        b"(",
        b")",
        b"]",
        b"%s",
        b"x" * 20000,
    ),
]
"""What may stand anywhere."""


def mutate(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Damage an input in one to four ways, mostly in one: what is too damaged is refused early."""
    for _ in range(rng.choice([1, 1, 1, 2, 3, 4])):
        data = rng.choice(MUTATIONS)(rng, data, other)
    return data[: 1 << 20]


def _place(rng: random.Random, data: bytes) -> int:
    return rng.randint(0, len(data))


def _truncate(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    return data[: _place(rng, data)]


def _behead(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    return data[_place(rng, data) :]


def _flip(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _insert(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    at = _place(rng, data)
    stray = rng.choice(STRAY) if rng.random() < 0.8 else rng.randbytes(rng.randint(1, 40))
    return data[:at] + stray + data[at:]


def _delete(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    at = _place(rng, data)
    return data[:at] + data[at + rng.choice([1, 1, 2, 8, 16, 80, 1000]) :]


def _number(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    numbers = list(re.finditer(rb"\d+", data[:65536]))
    if not numbers:
        return data
    found = rng.choice(numbers)
    return data[: found.start()] + rng.choice(HOSTILE) + data[found.end() :]


def _word(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    words = list(re.finditer(rb"\S+", data[:65536]))
    if not words:
        return data
    old, new = rng.choice(words), rng.choice(words)
    return data[: old.start()] + new[0] + data[old.end() :]


def _lines(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    at = rng.randrange(len(lines))
    kind = rng.randrange(4)
    if kind == 0:
        lines.insert(at, rng.choice(lines))
    elif kind == 1:
        del lines[at]
    elif kind == 2:
        rng.shuffle(lines)
    else:
        lines[at:at] = [lines[at]] * rng.choice([2, 10, 300])
    return b"".join(lines)


def _splice(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: _place(rng, data)] + other[_place(rng, other) :]


def _word64(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    at = 8 * rng.randrange(len(data) // 8 + 1)
    value = rng.choice([0, 1, 7, 1 << 31, 1 << 34, (1 << 34) + 1, 1 << 63, (1 << 64) - 1])
    return data[:at] + value.to_bytes(8, "little") + data[at + 8 :]


MUTATIONS = [
    *(_truncate, _behead, _flip, _insert, _delete, _number, _number, _word, _lines, _splice),
    _word64,
]
