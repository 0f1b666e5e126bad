"""Mappings follow the pages that migrate: what maps a page points at its new frame.

Migration unmaps a page everywhere, copies it, and maps the copy. Here an address space lists the
frames of its pages, so the list is rewritten; the tables' entries say only that a page is there.

Left out: the reverse map itself, by which the kernel finds the entries of one page; here all
mapped pages are looked at. Transparent huge pages, which the kernel moves whole or splits.

Source: mm/migrate.c, 6.1: try_to_migrate, remove_migration_ptes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotmem_viz.mechanisms.outcome import Moves
    from hotmem_viz.memory.address_spaces import AddressSpaces


def follow_moves(s: AddressSpaces, moves: Iterable[Moves]) -> int:
    """Let address spaces and shared segments point at pages where they lie now.

    moves: in the order in which they were made. Returns how many mapped pages moved, a page of a
    segment once. Raises ParameterError for a move of part of a transparent huge page.
    """
    return sum(_follow(s, np.argsort(m.source), m) for m in moves if len(m.source))


def _follow(s: AddressSpaces, order: np.ndarray, moves: Moves) -> int:
    source, target = moves.source[order], moves.target[order]
    size = 1 << s.geometry.huge_order
    for _, heads in (piece for pieces in s.huge_pages.values() for piece in pieces):
        inside = np.searchsorted(source, heads + size) > np.searchsorted(source, heads)
        if inside.any():
            raise ParameterError(
                "moves", int(heads[inside][0]), "pages that are part of no huge mapping"
            )
    moved = 0
    for pieces in s.pages.values():
        for i, (vpn, pfn) in enumerate(pieces):
            now, hits = _renew(pfn, source, target)
            pieces[i] = (vpn, now)
            moved += hits
    for segment in s.segments:
        if segment is not None:
            segment.frames, hits = _renew(segment.frames, source, target)
            moved += hits
    return moved


def _renew(pfn: np.ndarray, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, int]:
    """Return frames with those that moved replaced, and how many did; source ascending."""
    at = np.minimum(np.searchsorted(source, pfn), len(source) - 1)
    hit = source[at] == pfn
    return np.where(hit, target[at], pfn), int(hit.sum())
