"""The ledger is complete: every claim is seen where it says, or stands on the list of the rest."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from hotmem_viz.catalog import SCENARIOS, run
from hotmem_viz.cli import cli
from hotmem_viz.errors import HotmemError
from hotmem_viz.lessons.claims import CLAIMS, find_tick, ledger, record_claim

PENDING: dict[str, list[str]] = {}
"""Nothing shows these yet. Whoever adds what does takes them off this list and out of
`hotmem_viz.lessons.claims`."""


def test_all_claims_of_the_mail_are_there_in_order():
    assert [c.id for c in CLAIMS] == [f"S{n}" for n in range(1, 48)]
    assert all(c.claim.endswith(".") or c.claim.endswith(").") for c in CLAIMS)
    assert all(c.today.endswith(".") for c in CLAIMS)
    assert all("seed" in c.parameters for c in CLAIMS)


def test_what_is_pending_is_known():
    pending: dict[str, list[str]] = {}
    for claim in CLAIMS:
        if claim.pending:
            pending.setdefault(claim.scenario, []).append(claim.id)
    assert pending == PENDING


@pytest.mark.parametrize("name", [c.id for c in CLAIMS if not c.pending])
def test_a_printed_claim_is_seen_at_its_tick(name):
    row = next(r for r in ledger() if r["id"] == name)
    assert row["scenario"] in SCENARIOS
    assert type(row["tick"]) is int
    recording = record_claim(next(c for c in CLAIMS if c.id == name))
    for parameter, value in row["parameters"].items():
        assert recording.meta["parameters"][parameter] == value
    here = [e for e in recording.event_list if e.tick == row["tick"]]
    assert any(name in e.claims for e in here)


def test_opinions_say_what_is_shown_beside_them():
    opinions = {6, 7, 9, 10, 14, 20, 32, 37, 40, 41, 42, 47}
    assert {r["id"] for r in ledger() if "figure" in r} == {f"S{n}" for n in opinions}


def shown(name):
    """Return the event that shows a claim, and the run."""
    claim = next(c for c in CLAIMS if c.id == name)
    recording = record_claim(claim)
    tick = find_tick(claim, recording)
    return next(e for e in recording.event_list if e.tick == tick and name in e.claims), recording


def test_claims_are_seen_and_not_only_named():
    """Each caption holds what makes the claim: the page, the number, the answer."""
    for name, words in {
        "S3": "Node 0 serves nodes 2 and 3",
        "S8": "3 memory blocks, offline",
        "S11": "ZONE_MOVABLE has one, and is merely forbidden",
        "S12": "of the 138 MiB that are free the cache gets no more",
        "S16": "slab objects",
        "S17": "a page table",
        "S18": "a driver's memory for its device",
        "S19": "Let go: 1 page",
        "S21": "dependent load",
        "S31": "SPARSE_VMEMMAP",
        "S34": "old data, and no error anywhere",
        "S38": "a device knows its frame by number",
        "S44": "19,660 of 19,660 pages of metadata",
        "S45": "16 of 16 memory blocks of node 3 have left",
        "S46": "could change sides",
    }.items():
        assert words in shown(name)[0].text, name


def test_the_state_file_puts_a_block_into_zone_movable_where_the_ledger_says():
    event, recording = shown("S8")
    written = [e.text for e in recording.event_list if e.tick == event.tick and e is not event]
    assert len(written) == 1
    assert written[0].startswith("echo online_movable > /sys/devices/system/memory/memory38/state")


def test_the_load_that_the_proposal_serves_is_refused_where_there_are_zones():
    event, _ = shown("S44")
    zoned = run("strategies", strategy="percent", metadata=0.4, seed=7).event_list
    assert "100 % of its metadata" in event.title
    assert {"REFUSED"} & {e.kind for e in zoned}
    assert "67 % of its metadata" in next(e.title for e in zoned if e.kind == "LOADED")


def test_the_ledger_holds_what_is_not_pending():
    waiting = {name for names in PENDING.values() for name in names}
    assert {row["id"] for row in ledger()} == {c.id for c in CLAIMS} - waiting


def test_a_claim_that_no_event_shows_is_an_error():
    claim = replace(CLAIMS[0], title="The range flies")
    with pytest.raises(HotmemError, match="S1: no event of boot_options"):
        find_tick(claim, record_claim(claim))


def test_the_command_prints_the_ledger():
    printed = CliRunner().invoke(cli, ["claims", "--json"])
    assert json.loads(printed.output) == {"claims": ledger()}
    text = CliRunner().invoke(cli, ["claims"]).output
    assert [line.split(":")[0] for line in text.splitlines()[::2]] == [r["id"] for r in ledger()]
