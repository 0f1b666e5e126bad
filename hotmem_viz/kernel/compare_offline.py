"""Rows about taking memory away: the verdict on each memory block, and on a DIMM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.kernel.offline_run import OfflineRun, predict_removal, predict_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.kernel.compare_rows import Row

OFFLINE_VERDICT = "offline-verdict"


def offline_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare how the attempt to offline each memory block ended."""
    capture = machine.capture
    if not (attempts := capture.sweep()):
        return
    run = OfflineRun(capture)
    why = run.why_not
    verdicts = [None] * len(attempts) if why else predict_sweep(run, attempts)
    for attempt, verdict in zip(attempts, verdicts, strict=True):
        predicted = verdict.value if verdict else None
        reason = why or "the block is not online"
        subject = f"memory{attempt.block}"
        yield machine.row(
            OFFLINE_VERDICT, subject, predicted, attempt.verdict, unit="word", why=reason
        )


def removal_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare how the removal of a DIMM ended."""
    capture = machine.capture
    answer = capture.removal()
    if answer is None or not capture.has("loaded/blocks"):
        return
    booted = {block.number for block in capture.blocks()}
    added = [b.number for b in capture.blocks("loaded") if b.number not in booted]
    run = OfflineRun(capture)
    why = run.why_not if added else "no block belongs to the DIMM"
    predicted = None if why else predict_removal(run, sorted(added))
    yield machine.row("dimm-removal", "DIMM", predicted, answer.verdict, unit="word", why=why)
