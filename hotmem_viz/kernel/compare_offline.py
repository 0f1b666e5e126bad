"""Rows about taking memory away: the verdict on each memory block, and on a DIMM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.kernel.hot_events import added_dimms
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
    """Compare how the removal of each DIMM ended."""
    capture = machine.capture
    answers = capture.removals()
    if not answers or not capture.has("loaded/blocks"):
        return
    dimms = added_dimms(capture, len(answers))
    dimms += [[]] * (len(answers) - len(dimms))
    run = OfflineRun(capture)
    for i, (answer, blocks) in enumerate(zip(answers, dimms, strict=False), 1):
        why = run.why_not if blocks else "no block belongs to the DIMM"
        predicted = None if why else predict_removal(run, blocks)
        subject = "DIMM" if len(answers) == 1 else f"DIMM {i}"
        yield machine.row("dimm-removal", subject, predicted, answer.verdict, unit="word", why=why)
