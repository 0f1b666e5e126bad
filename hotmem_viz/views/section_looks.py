"""How the states of sections look: the frame around a section's block, and what is said of it.

No meaning hangs on hue alone: each state has a letter of its own, and two states whose colours
come close under simulated colour blindness have different lines (tests/views/test_section_looks.py
measures it). A section whose frames belong to no zone is veiled: it must not be taken for free
memory, nor for full.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hotmem_viz.vocabulary import SectionState

Line = Literal["none", "solid", "dashed", "dotted", "dashdot", "double"]
Veil = Literal["none", "stripes", "rising", "falling", "cross"]


@dataclass(frozen=True)
class SectionLook:
    """How one section state looks and what is said about it.

    letter: one character, unique. line: of the frame; "none" is the plain frame. veil: what covers
    the section's cells, where none of its pages is in use.
    """

    label: str
    letter: str
    light: str
    dark: str
    line: Line
    veil: Veil
    why: str


SECTIONS: dict[SectionState, SectionLook] = {
    SectionState.ABSENT: SectionLook(
        "absent", "–", "#7b8494", "#8a94a3", "dotted", "stripes", "No memory is plugged in here."
    ),
    SectionState.OFFLINE: SectionLook(
        "offline",
        "O",
        "#3f4753",
        "#c3cad5",
        "solid",
        "rising",
        "The memory is there, but the kernel uses none of it: it belongs to no zone.",
    ),
    SectionState.ONLINE: SectionLook(
        "online", " ", "#b9bdc4", "#4a525e", "none", "none", "Its pages belong to their zones."
    ),
    SectionState.GOING_OFFLINE: SectionLook(
        "going offline",
        "G",
        "#a34a00",
        "#ffab66",
        "dashed",
        "none",
        "Its pageblocks are isolated: nothing new comes in while the kernel moves the rest out.",
    ),
    SectionState.ISOLATING: SectionLook(
        "isolating",
        "I",
        "#8a6100",
        "#f2c14e",
        "dotted",
        "none",
        "Its pageblocks are taken from the allocator: nothing new comes in.",
    ),
    SectionState.EMPTYING: SectionLook(
        "emptying",
        "E",
        "#c2410c",
        "#ff8f52",
        "dashdot",
        "none",
        "What can move is being moved out.",
    ),
    SectionState.RESIDUAL: SectionLook(
        "residual",
        "R",
        "#c2410c",
        "#ff8f52",
        "solid",
        "none",
        "What could move has moved; what is left only a remap can move.",
    ),
    SectionState.RESERVING: SectionLook(
        "reserving",
        "+",
        "#6d3fb0",
        "#c0a0f5",
        "dashed",
        "none",
        "Frames are set aside elsewhere for what is left.",
    ),
    SectionState.STOPPED: SectionLook(
        "stopped",
        "S",
        "#b3151f",
        "#ff7b7b",
        "double",
        "none",
        "The machine stands still while its pages are copied and its addresses re-pointed.",
    ),
    SectionState.OFFLINE_MIGRATED: SectionLook(
        "offline-migrated",
        "M",
        "#1c6b5c",
        "#5fd0b8",
        "double",
        "falling",
        "Its frames may be pulled out: its addresses now lead to the target's frames.",
    ),
    SectionState.REMOVED: SectionLook(
        "removed", "×", "#3f4753", "#c3cad5", "dashed", "cross", "The memory has been pulled out."
    ),
    SectionState.FAILED: SectionLook(
        "failed", "!", "#86198f", "#e879f9", "dashdot", "none", "The remap failed here."
    ),
    SectionState.TARGET: SectionLook(
        "target",
        "T",
        "#0b5fa8",
        "#62b0f5",
        "solid",
        "none",
        "It holds the pages of another section, which are found under that one's addresses.",
    ),
}


def section_table() -> list[dict[str, Any]]:
    """Return the rows of the wire header's `section_states`, in order of id."""
    return [
        {
            "id": int(state),
            "name": state.name.lower(),
            "label": look.label,
            "short": look.letter,
            "light": look.light,
            "dark": look.dark,
            "line": look.line,
            "veil": look.veil,
            "why": look.why,
        }
        for state, look in SECTIONS.items()
    ]
