"""Writes a machine's zones and memory blocks for people: aligned text, or tables of HTML."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from hotmem_viz.kernel.host_tables import zone_rows
from hotmem_viz.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotmem_viz.kernel.host import Host

MOST_RUNS = 40
"""Runs of blocks printed; a machine whose blocks alternate has one a block."""

_ZONE_COLUMNS = ("spanned", "present", "managed", "free", "min", "low", "high")
_ZONE_HEAD = ("zone", *_ZONE_COLUMNS, "protection", "of no use")
_BLOCK_HEAD = ("blocks", "count", "size", "state", "zone", "node")
_LEFT = {"zone", "protection", "blocks", "state", "node"}
"""Columns of words; the others are numbers, written to the right."""

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def host_text(host: Host) -> str:
    """Return the tables as text, and a line for everything that could not be read."""
    parts = [_headline(host)]
    for head, rows in (_zone_table(host), _block_table(host)):
        if rows:
            parts.append(_aligned(head, rows))
    parts += [line for line in (_totals(host), _more_runs(host), _unread_text(host)) if line]
    return "\n\n".join(parts)


def host_html(host: Host) -> str:
    """Return the tables as HTML, for a notebook."""
    parts = [f"<p>{html.escape(_headline(host))}</p>"]
    for head, rows in (_zone_table(host), _block_table(host)):
        if rows:
            parts.append(_html_table(head, rows))
    lines = [*_totals(host).splitlines(), _more_runs(host), *_unread_text(host).splitlines()]
    parts += [f"<p>{html.escape(line)}</p>" for line in lines if line]
    return "\n".join(parts)


def _headline(host: Host) -> str:
    pages = format_bytes(host.page_size)
    return f"Linux {host.capture.kernel}; numbers of the zones are pages of {pages}"


def _zone_table(host: Host) -> Table:
    rows: list[tuple[str, ...]] = []
    for row in zone_rows(host.zone_infos):
        numbers = (f"{row[name]:,}" for name in _ZONE_COLUMNS)
        columns = ", ".join(f"{pages:,}".replace(",", "") for pages in row["protection"])
        name = f"node {row['nid']} {row['zone']}"
        rows.append((name, *numbers, f"({columns})", f"{row['useless']:,}"))
    return _ZONE_HEAD, rows


def _block_table(host: Host) -> Table:
    rows: list[tuple[str, ...]] = []
    for run in host.block_runs[:MOST_RUNS]:
        count = run.last - run.first + 1
        size = format_bytes(count * host.block_pages * host.page_size)
        # The kernel calls a block with a hole or of two zones "none": it can never go offline.
        zones = "/".join(run.zones) or "none"
        rows.append((run.label, f"{count:,}", size, run.state, zones, f"node {run.nid}"))
    return _BLOCK_HEAD, rows


def _more_runs(host: Host) -> str:
    left_out = len(host.block_runs) - MOST_RUNS
    return f"… and {left_out:,} more runs of blocks (--json has them all)" if left_out > 0 else ""


def _totals(host: Host) -> str:
    """Say what is free, what of it a kernel request cannot have, and what MemAvailable claims."""
    rows, size = zone_rows(host.zone_infos), host.page_size
    lines = []
    if rows:
        free, useless = (sum(row[name] for row in rows) * size for name in ("free", "useless"))
        lines.append(f"free                                    {format_bytes(free)}")
        lines.append(f"free, but of no use to a kernel request {format_bytes(useless)}")
    if host.mem_available is not None:
        claimed = format_bytes(host.mem_available * size)
        lines.append(f"MemAvailable claims                     {claimed}")
    return "\n".join(lines)


def _unread_text(host: Host) -> str:
    return "\n".join(f"not read: {u.path}: {u.why}" for u in host.unread)


def _aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    table = [head, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    lines = []
    for row in table:
        cells = [
            cell.ljust(width) if title in _LEFT else cell.rjust(width)
            for title, cell, width in zip(head, row, widths, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        inner = ""
        for title, cell in zip(head, cells, strict=True):
            side = "left" if title in _LEFT else "right"
            inner += f'<{tag} style="text-align: {side}">{html.escape(cell)}</{tag}>'
        return f"<tr>{inner}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>"
