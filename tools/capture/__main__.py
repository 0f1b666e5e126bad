"""Takes captures of real kernels; see docs/capturing.md.

python -m tools.capture NAME [NAME ...]      take captures of the catalogue
python -m tools.capture --list               say which there are
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hotmem_viz.errors import HotmemError
from hotmem_viz.kernel.captures import SUFFIX, open_capture
from tools.capture.archive import write_capture
from tools.capture.catalog import ORDERS, SCENARIOS, Order
from tools.capture.checks import problems
from tools.capture.errors import CaptureToolError
from tools.capture.kernels import find_kernel
from tools.capture.machine import Machine
from tools.capture.session import Run, start_run

TIMEOUT = 600.0


def cache_folder() -> Path:
    """Return the folder for kernels and built programs, of the user's own cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "hotmem-viz-capture"


def parse_arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.capture",
        description="Boot a Debian kernel in QEMU with a scenario and write a capture of it.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="captures to take")
    parser.add_argument("--list", action="store_true", help="say which captures there are")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the .tar.xz files")
    parser.add_argument("--timeout", type=float, default=TIMEOUT, help="seconds for one run")
    parser.add_argument("--cache", type=Path, default=cache_folder(), help="folder for kernels")
    parser.add_argument("--suite", action="append", default=[], help="Debian suite of the kernel")
    custom = parser.add_argument_group(
        "a capture of your own", "NAME is a new one, or one of the catalogue to vary"
    )
    custom.add_argument("--shows", help="what it shows, in a few words")
    custom.add_argument("--kernel", help="release, such as 6.1.0-56-cloud-amd64")
    custom.add_argument("--memory", help="all memory, such as 1G")
    custom.add_argument("--nodes", help="memory of each node, such as 512M,1G")
    custom.add_argument("--below-4g", help="memory below 4 GiB, such as 512M")
    custom.add_argument("--cpus", type=int, help="processors")
    custom.add_argument("--slots", type=int, help="modules that can be added")
    custom.add_argument("--limit", help="most memory with all modules, such as 9G")
    custom.add_argument("--append", help="options of the kernel, such as movablecore=50%%")
    custom.add_argument("--scenario", choices=SCENARIOS, help="what the guest does")
    custom.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="an argument, hm.KEY"
    )
    return parser.parse_args(words)


def find_order(name: str, args: argparse.Namespace) -> Order:
    """Return the catalogue's order of that name with the changes asked for, or a new one.

    Raises
    ------
    CaptureToolError
        When there is no such order and nothing says what a new one should be.
    """
    order = next((o for o in ORDERS if o.name == name), None)
    machine_words = {k: getattr(args, k) for k in ("memory", "cpus", "slots", "limit", "below_4g")}
    machine_words["nodes"] = tuple(args.nodes.split(",")) if args.nodes else None
    order_words = {k: getattr(args, k) for k in ("shows", "kernel", "append", "scenario")}
    changes = {k: v for k, v in order_words.items() if v is not None}
    machine_changes = {k: v for k, v in machine_words.items() if v is not None}
    if order is None and not (changes or machine_changes):
        raise CaptureToolError(f"no capture {name!r} in the catalogue; --list says which there are")
    machine = dataclasses.replace(order.machine if order else Machine(), **machine_changes)
    changes["machine"] = machine
    if args.set:
        changes["arguments"] = {**(order.arguments if order else {}), **read_settings(args.set)}
    return dataclasses.replace(order or Order(name, name), **changes)


def read_settings(words: Sequence[str]) -> dict[str, int | str]:
    """Return KEY=VALUE words as a table; a value of digits is a number."""
    settings: dict[str, int | str] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not (sign and key.isidentifier() and value) or len(value.split()) != 1:
            raise CaptureToolError(f"{word!r} is not KEY=VALUE")
        settings[key] = int(value) if value.isascii() and value.isdigit() else value
    return settings


def take(order: Order, args: argparse.Namespace) -> Path:
    """Take one capture, check it, and return where it is.

    Raises
    ------
    CaptureToolError
        When it cannot be taken, or does not pass its checks; the console is kept then.
    """
    kernel = find_kernel(order.kernel, args.cache, args.suite)
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hm-") as folder:
        run = start_run(order, kernel, args.cache, Path(folder), args.timeout)
    if found := problems(run):
        kept = keep_failure(run, args.out)
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise CaptureToolError(f"{order.name}: {found[0]}{more}; the console is in {kept}")
    path: Path = args.out / f"{order.name}{SUFFIX}"
    write_capture(run, path)
    try:
        capture = open_capture(path)
    except HotmemError as error:
        raise CaptureToolError(str(error)) from None
    print(
        f"{order.name}: {run.status}, {len(capture.files)} files, "
        f"{path.stat().st_size:,} bytes, {run.seconds:.0f} s"
    )
    return path


def keep_failure(run: Run, out: Path) -> Path:
    """Write the console of a run that failed, and return where."""
    path = out / f"{run.order.name}.failed.txt"
    path.write_bytes(run.console + b"\n-- QEMU said:\n" + run.complaint.encode())
    return path


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_arguments(sys.argv[1:] if words is None else words)
    if args.list:
        width = max(len(o.name) for o in ORDERS)
        for order in ORDERS:
            print(f"{order.name.ljust(width)}  {order.kernel}: {order.shows}")
        return 0
    if not args.names:
        print("capture: name a capture to take; --list says which there are", file=sys.stderr)
        return 2
    failed = 0
    for name in args.names:
        try:
            take(find_order(name, args), args)
        except CaptureToolError as error:
            print(f"capture: {error}", file=sys.stderr)
            failed += 1
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
