"""Feeds the parsers of hotmem_viz.kernel damaged texts of real kernels, for as long as one likes.

Each input is read, or refused by one CaptureError in one line that names the file. Anything else is
a fault and is printed with what makes it again: the seed, the parser and the round.

    python -m tools.fuzz_parsers --rounds 10000 --seed 1
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.kernel.parser_targets import (
    READ,
    REFUSED,
    Target,
    find_targets,
    judge,
    judge_archive,
    judge_capture,
    make_input,
)

Round = Callable[[random.Random], str]


def target_round(target: Target) -> Round:
    """Return what makes one input of a target and judges the outcome."""

    def run(rng: random.Random) -> str:
        data = make_input(target, rng)
        return judge(lambda: target.parse(data))

    return run


def run_rounds(name: str, run: Round, rounds: int, seed: int) -> tuple[int, float]:
    """Run one parser's share; return its faults, and the seconds of the slowest input."""
    outcomes = {READ: 0, REFUSED: 0, "fault": 0}
    slowest = (0.0, -1)
    for i in range(rounds):
        rng = random.Random(f"{seed}/{name}/{i}")  # noqa: S311 - the same inputs every time
        began = time.process_time()
        outcome = run(rng)
        slowest = max(slowest, (time.process_time() - began, i))
        if outcome not in outcomes:
            print(f"FAULT {name}, round {i}: {outcome}", flush=True)
            outcome = "fault"
        outcomes[outcome] += 1
    counts = ", ".join(f"{count:,} {what}" for what, count in outcomes.items())
    print(f"{name:13} {counts}; slowest {slowest[0] * 1e3:.0f} ms, round {slowest[1]}", flush=True)
    return outcomes["fault"], slowest[0]


def main() -> int:
    """Run a campaign; returns 1 when there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=1000, help="inputs for each parser")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.tar.xz"
        shares: list[tuple[str, Round, int]] = [
            *((target.name, target_round(target), args.rounds) for target in find_targets()),
            ("captures", judge_capture, args.rounds),
            ("archives", lambda rng: judge_archive(path, rng), args.rounds // 10),
        ]
        results = [run_rounds(*share, args.seed) for share in shares]
    total = sum(rounds for _, _, rounds in shares)
    faults, slowest = sum(f for f, _ in results), max(s for _, s in results)
    print(f"{total:,} inputs, {faults} faults, slowest {slowest * 1e3:.0f} ms, its making included")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
