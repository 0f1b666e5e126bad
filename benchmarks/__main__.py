"""`python -m benchmarks [--json] [PART ...]`: print the budgets and what is."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import sys

from benchmarks.row import Row

PARTS = ("model", "lessons", "start", "playback", "browser")


def main() -> int:
    """Measure the named parts, all by default; status 1 if a budget is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", choices=[[], *PARTS], default=[], metavar="PART", help=", ".join(PARTS)
    )
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    arguments = parser.parse_args()
    rows: list[Row] = []
    for part in arguments.parts or PARTS:
        for row in importlib.import_module(f"benchmarks.{part}").all_rows():
            rows.append(row)
            if not arguments.json:
                print(line(row), flush=True)
    if arguments.json:
        print(json.dumps({"rows": [dataclasses.asdict(r) for r in rows]}, indent=1))
    return int(any(row.ok is False for row in rows))


def line(row: Row) -> str:
    """Write a row for people."""
    value = "-" if row.value is None else f"{row.value:,.3g}"
    verdict = {True: "ok", False: "MISSED", None: ""}[row.ok]
    note = f"  ({row.note})" if row.note else ""
    return f"{row.what:<62} {value:>8} {row.unit:<10} {row.budget:<14} {verdict}{note}"


if __name__ == "__main__":
    sys.exit(main())
