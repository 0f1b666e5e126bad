"""Every parser of hotmem_viz.kernel with real inputs, and what is right of its outcome.

An input is read, or refused by one CaptureError in one line that names the file; anything else is
a fault.
"""

from __future__ import annotations

import io
import lzma
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from hotmem_viz.errors import CaptureError, HotmemError
from hotmem_viz.kernel.blocks import parse_blocks
from hotmem_viz.kernel.buddyinfo import parse_buddyinfo
from hotmem_viz.kernel.capture_files import decode, parse_json
from hotmem_viz.kernel.captured_pages import page_stages
from hotmem_viz.kernel.captures import Capture, open_capture, spec_from_capture
from hotmem_viz.kernel.console import parse_console
from hotmem_viz.kernel.hotplug_answers import (
    parse_growth,
    parse_onlining,
    parse_removal,
    parse_sweep,
)
from hotmem_viz.kernel.iomem import image_pfns, parse_iomem
from hotmem_viz.kernel.page_flags import parse_page_runs
from hotmem_viz.kernel.page_kinds import page_kinds
from hotmem_viz.kernel.page_words import free_blocks
from hotmem_viz.kernel.pageblocks import parse_pageblocks
from hotmem_viz.kernel.pagetypeinfo import parse_pagetypeinfo
from hotmem_viz.kernel.procfs import parse_meminfo, parse_slabinfo, parse_vmstat
from hotmem_viz.kernel.raw_flags import read_page_flags
from hotmem_viz.kernel.samples import last_sample, parse_sample, sample_names
from hotmem_viz.kernel.srat import parse_srat
from hotmem_viz.kernel.zoneinfo import parse_zoneinfo
from tests.kernel.damage import mutate

PATH = "some/file"
READ, REFUSED = "read", "refused"
SOURCES = (
    "b-files-85",
    "d-hot-movable-pin",
    "d-sweep-movable50-pin",
    "d-grow-256M-small",
    "a-movable_node-srat1",
    "e-sockets-01G",
    "v612-d-hot-256-default",
    "v72-c-zero-1G-60",
)
"""Captures whose files are damaged: all kernels, all kinds of file."""

Parse = Callable[[bytes], object]


@dataclass(frozen=True)
class Target:
    """A parser, as a function of bytes, and real inputs to it."""

    name: str
    parse: Parse
    seeds: tuple[bytes, ...]


def _texts(parse: Callable[[str, object], object], *, any_text: bool = False) -> Parse:
    return lambda data: parse(decode(data, PATH, any_text=any_text), PATH)


def _iomem(text: str, path: object) -> object:
    return image_pfns(parse_iomem(text, path))


def _sample(text: str, path: object) -> object:
    sample = parse_sample(text, path)
    return sample.zoneinfo(), sample.meminfo(), sample.vmstat(), sample.buddyinfo()


def _removal(text: str, path: object) -> object:
    return parse_removal(text, path).verdict


def _mended(table: bytes) -> bytes:
    """Give a damaged SRAT a length and a checksum that are right, so that its entries are read."""
    if len(table) < 10:
        return table
    fixed = bytearray(table)
    fixed[4:8] = len(table).to_bytes(4, "little")
    fixed[9] = (fixed[9] - sum(fixed)) & 0xFF
    return bytes(fixed)


def _runs(data: bytes) -> object:
    runs = parse_page_runs(data, PATH)
    kinds = page_kinds(runs, runs, held_known=True, present=[(1, 99)], image=[(5, 7)])
    return kinds.merged(), free_blocks(runs.part(0, 1 << 16))


PARSERS: dict[str, tuple[str, Parse]] = {
    "zoneinfo": (r"/(boot|onlined)/zoneinfo$", _texts(parse_zoneinfo)),
    "buddyinfo": (r"/(boot|onlined)/buddyinfo$", _texts(parse_buddyinfo)),
    "pagetypeinfo": (r"/(boot|onlined)/pagetypeinfo$", _texts(parse_pagetypeinfo)),
    "meminfo": (r"/boot/meminfo$", _texts(parse_meminfo)),
    "slabinfo": (r"/boot/slabinfo$", _texts(parse_slabinfo)),
    "vmstat": (r"/boot/vmstat$", _texts(parse_vmstat)),
    "iomem": (r"/boot/iomem$", _texts(_iomem)),
    "blocks": (r"/(boot|added)/blocks$", _texts(parse_blocks)),
    "pageblocks": (r"/pbt/(boot|removed)$", _texts(parse_pageblocks)),
    "sweep": (r"/sweep/sweep$", _texts(parse_sweep)),
    "online": (r"frames/online$", _texts(parse_onlining)),
    "del": (r"frames/del2?$", _texts(_removal)),
    "grow": (r"frames/grow/\d+$", _texts(parse_growth)),
    "sample": (r"/ts/\w+/000\d$", _texts(_sample)),
    "console": (r"console\.txt$", _texts(parse_console, any_text=True)),
    "srat": (r"acpi/SRAT$", lambda data: parse_srat(data, PATH)),
    "srat-mended": (r"acpi/SRAT$", lambda data: parse_srat(_mended(data), PATH)),
    "runs": (r"/(kpf|pages)/boot$", _runs),
    "raw-flags": (r"/kpf/boot$", lambda data: read_page_flags(io.BytesIO(data), PATH)),
    "json": (r"/result/|manifest\.json$", lambda data: parse_json(data, PATH)),
}
"""For each parser which files of a capture are inputs to it."""


@cache
def sources() -> tuple[Capture, ...]:
    """Return the captures that are damaged."""
    return tuple(open_capture(name) for name in SOURCES)


@cache
def find_targets() -> tuple[Target, ...]:
    """Return every parser with the inputs that the package's captures have for it."""
    targets = []
    for name, (pattern, parse) in PARSERS.items():
        seeds = [d for c in sources() for p, d in c.files.items() if re.search(pattern, p)]
        targets.append(Target(name, parse, tuple(dict.fromkeys(seeds))))
    return tuple(targets)


def judge(run: Callable[[], object], path: str = PATH) -> str:
    """Run a parser on one input; return READ, REFUSED, or what is wrong with the outcome."""
    try:
        run()
    except CaptureError as error:
        message = str(error)
        if not message.isprintable() or not message.startswith(path) or len(message) > 1200:
            return f"message {message[:200]!r}"
    except HotmemError as error:
        return REFUSED if str(error).isprintable() else f"message {str(error)[:200]!r}"
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        return f"{type(error).__name__}: {error}"
    else:
        return READ
    return REFUSED


def make_input(target: Target, rng: random.Random) -> bytes:
    """Make one input: mostly a damaged real one, now and then pure noise."""
    if rng.random() < 0.02:
        return rng.randbytes(rng.randint(0, 3000))
    others = target.seeds if rng.random() < 0.5 else rng.choice(find_targets()).seeds
    return mutate(rng, rng.choice(target.seeds), rng.choice(others))


def judge_archive(path: Path, rng: random.Random) -> str:
    """Damage an archive, packed or unpacked; write it to `path` and open it."""
    packed = open_capture("a-none").path.read_bytes()
    if rng.randrange(4):
        plain = lzma.decompress(packed)
        head = 512 * rng.randrange(len(plain) // 512)
        part = mutate(rng, plain[head : head + 512], plain[:512])
        damaged = lzma.compress(plain[:head] + part + plain[head + 512 :], preset=0)
    else:
        damaged = mutate(rng, packed, packed)
    path.write_bytes(damaged)
    return judge(lambda: open_capture(path), str(path))


def judge_capture(rng: random.Random) -> str:
    """Damage one file of a capture, and ask for all that a comparison asks for."""
    capture = rng.choice(sources())
    name = rng.choice(sorted(capture.files))
    changed = mutate(rng, capture.files[name], capture.files[name])
    damaged = replace(capture, files={**capture.files, name: changed})
    return judge(lambda: _read_all(damaged, name), str(capture.path))


def _read_all(capture: Capture, name: str) -> None:
    parts = name.removeprefix("frames/").split("/")
    if parts[0] in ("kpf", "pages", "pbt"):
        stages = [s for s in page_stages(capture) if s.endswith(parts[-1]) or "near" in s]
        for stage in stages:
            capture.page_kinds(stage)
    elif parts[0] == "ts":
        sample = last_sample(capture)
        _ = sample.zoneinfo(), sample.meminfo(), sample_names(capture)
    elif len(parts) == 2 and parts[0] in capture.stages and hasattr(capture, parts[1]):
        getattr(capture, parts[1])(parts[0])
        capture.page_kinds("boot")
    else:
        spec_from_capture(capture)
        _ = capture.sweep(), capture.onlining(), capture.removal(), capture.growth()
