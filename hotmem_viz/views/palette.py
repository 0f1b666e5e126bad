"""Colours, glyphs, hatches and words: the single source for canvas, style sheet and figures.

User kinds are cool, kernel kinds warm, what boot left behind is grey; free memory is quiet
and a hole quieter still. No meaning hangs on hue alone: every kind has a hatch (overview)
and a glyph (detail) of its own within its family, and the colours stay apart under
simulated colour blindness (tests/views/test_palette.py measures it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hotmem_viz.errors import ParameterError
from hotmem_viz.views.event_looks import EVENTS
from hotmem_viz.vocabulary import Movability, PageKind

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, Theme] = ("light", "dark")


@dataclass(frozen=True)
class KindStyle:
    """How one page kind looks and what is said about it."""

    label: str
    glyph: str
    light: str
    dark: str
    hatch: str
    why: str


MOVABILITY_WORDS = {
    Movability.MOVES: "moves",
    Movability.REMAP_ONLY: "remap",
    Movability.NEVER: "never",
}
"""Words of the wire format for the mail's three classes."""

KINDS: dict[PageKind, KindStyle] = {
    PageKind.HOLE: KindStyle(
        "no memory", " ", "#f3f1ed", "#1a1d23", "none", "There is no memory here to move."
    ),
    PageKind.FREE: KindStyle(
        "free", "·", "#dde2e8", "#313843", "none", "Nothing is stored here; nothing has to move."
    ),
    PageKind.PAGE_CACHE: KindStyle(
        "page cache",
        "c",
        "#21a08a",
        "#27a790",
        "none",
        "Moves: file data is reached through its address space, so it can be copied or dropped.",
    ),
    PageKind.ANON: KindStyle(
        "anonymous",
        "a",
        "#6cb8ee",
        "#66b4f0",
        "horizontal",
        "Moves: only page-table entries point at it, and the kernel can find and rewrite them.",
    ),
    PageKind.BUFFER: KindStyle(
        "fs metadata buffer",
        "b",
        "#1d5fae",
        "#3f6fd8",
        "dots",
        "Moves unless a file system holds a reference: it is page cache of the block device.",
    ),
    PageKind.HUGETLB: KindStyle(
        "huge page",
        "h",
        "#7a5bd0",
        "#8f78e8",
        "cross",
        "Moves whole: it needs a free huge page, or 2 MiB free in one piece, somewhere else.",
    ),
    PageKind.RECLAIMABLE_SLAB: KindStyle(
        "reclaimable slab",
        "r",
        "#f2dc4b",
        "#f5e05a",
        "back",
        "Cannot be copied: pointers lead to its objects. A shrinker may free it once nothing "
        "uses them; otherwise only a remap of the section moves it.",
    ),
    PageKind.SLAB: KindStyle(
        "slab",
        "s",
        "#f09a1a",
        "#f29d1f",
        "diag",
        "Cannot be copied: kernel pointers hold its virtual address. Only a remap of the "
        "section keeps that address while the frame changes.",
    ),
    PageKind.KERNEL_STACK: KindStyle(
        "kernel stack",
        "k",
        "#a4561c",
        "#b8662a",
        "vertical",
        "Cannot be copied while its task may run; only a remap under stop_machine moves it.",
    ),
    PageKind.KERNEL_BUFFER: KindStyle(
        "kernel buffer",
        "n",
        "#e58fb6",
        "#ee9cc2",
        "checker",
        "Cannot be copied: the kernel uses its virtual address. Only a remap moves it.",
    ),
    PageKind.PAGE_TABLE: KindStyle(
        "page table",
        "t",
        "#c62f1d",
        "#e0452f",
        "cross",
        "Only by remap, and more than that: the hardware reaches it by physical address, so "
        "every entry that names it must be rewritten as well.",
    ),
    PageKind.RESERVED: KindStyle(
        "boot reserved",
        "#",
        "#a3a8b0",
        "#8d949f",
        "dots",
        "Never: boot reserved it and nobody is known who could be told of a new place.",
    ),
    PageKind.MEMMAP: KindStyle(
        "memory map",
        "m",
        "#7b828d",
        "#6f7784",
        "grid",
        "Never: it is the array of struct page itself, which describes the other pages.",
    ),
    PageKind.KERNEL_IMAGE: KindStyle(
        "kernel image",
        "i",
        "#565d68",
        "#a9b0bb",
        "diag",
        "Never: the kernel's own code and data run from here.",
    ),
    PageKind.PINNED: KindStyle(
        "pinned (DMA)",
        "P",
        "#0b0d10",
        "#ffffff",
        "none",
        "Never: a device holds its physical address and may write to it at any moment.",
    ),
}

MOVABILITY: dict[Movability, KindStyle] = {
    Movability.MOVES: KindStyle("moves", "↔", "#5aa7dd", "#5aa9e6", "none", ""),
    Movability.REMAP_ONLY: KindStyle("moves by remap only", "⇄", "#f09a1a", "#f29d1f", "diag", ""),
    Movability.NEVER: KindStyle("never moves", "✕", "#2b3038", "#e9edf2", "cross", ""),
}
"""The second reading of the map: what the mail asks of each page."""

UI: dict[str, tuple[str, str]] = {
    "page": ("#f6f4f0", "#101318"),
    "panel": ("#ffffff", "#181c22"),
    "raised": ("#ffffff", "#222831"),
    "sunken": ("#f1efea", "#12151a"),
    "ink": ("#1b2230", "#e9edf3"),
    "muted": ("#566072", "#a8b1be"),
    "line": ("#dedcd6", "#2d343e"),
    "frame": ("#b9bdc4", "#4a525e"),
    "accent": ("#0b5fa8", "#62b0f5"),
    "onaccent": ("#ffffff", "#0b1622"),
    "tint0": ("#eef3f8", "#1b222b"),
    "tint1": ("#f7f1e8", "#242019"),
    "tint2": ("#eef5ee", "#1a231e"),
    "tint3": ("#f5eef5", "#231d25"),
    "used": ("#cdd2d9", "#3d4550"),
    "usable": ("#177a70", "#35b8a4"),
    "useless": ("#c2410c", "#ff8f52"),
    "claim": ("#0b5fa8", "#62b0f5"),
    "min": ("#b3151f", "#ff6b6b"),
    "low": ("#a16207", "#f2c14e"),
    "high": ("#177a70", "#4fd1bd"),
    "alarm": ("#b3151f", "#ff7b7b"),
    "alarmground": ("#fdf0ee", "#2c1a1b"),
    "ghost": ("#9aa1ac", "#6c7583"),
    "side0": ("#5b3fa8", "#b3a1f7"),
    "side1": ("#8a5a00", "#e8b84a"),
    "side2": ("#0b6b8a", "#63c5e8"),
    "side3": ("#a3266e", "#f08bc0"),
    "side4": ("#3d6b1f", "#9ad06a"),
    "side5": ("#4a5260", "#c3cad6"),
}
"""Everything that is not a page, as (light, dark)."""

SIDE_WORDS = tuple(word for word in UI if word.startswith("side"))
"""Colours of runs side by side, the first one's first."""


def colour(name: str, theme: Theme) -> str:
    """Return the hex colour of a user-interface word in a theme."""
    return UI[name][THEMES.index(theme)]


def check_theme(theme: str) -> Theme:
    """Return `theme`, or raise ParameterError if there is none of that name."""
    for known in THEMES:
        if theme == known:
            return known
    raise ParameterError("theme", theme, f"allowed are {', '.join(THEMES)}")


def event_colour(kind: str, theme: Theme) -> str:
    """Return the hex colour of an event kind's mark; an unknown kind has that of `done`."""
    known = {k.name.lower(): pair for k, (_, *pair) in EVENTS.items()}
    pair = known.get(kind.lower(), known["done"])
    return pair[THEMES.index(theme)]


def kind_table() -> list[dict[str, Any]]:
    """Return the rows of the wire header's `kinds`, in order of id."""
    return [
        {
            "id": int(kind),
            "name": kind.name.lower(),
            "label": style.label,
            "short": style.glyph,
            "light": style.light,
            "dark": style.dark,
            "hatch": style.hatch,
            "movability": MOVABILITY_WORDS[kind.movability],
            "why": style.why,
        }
        for kind, style in KINDS.items()
    ]


def movability_table() -> list[dict[str, Any]]:
    """Return the rows of the wire header's `movabilities`, in order of id."""
    return [
        {
            "name": MOVABILITY_WORDS[m],
            "label": style.label,
            "short": style.glyph,
            "light": style.light,
            "dark": style.dark,
            "hatch": style.hatch,
        }
        for m, style in MOVABILITY.items()
    ]


def event_table() -> list[dict[str, str]]:
    """Return the rows of the wire header's `event_kinds`: name, label and both colours."""
    return [
        {"name": kind.name.lower(), "label": label, "light": light, "dark": dark}
        for kind, (label, light, dark) in EVENTS.items()
    ]


def css_variables(root: str = "hotmem-stage") -> str:
    """Return the user-interface colours as style-sheet rules, one block per theme.

    root: class of the element that carries the theme.
    """
    blocks = []
    for i, theme in enumerate(THEMES):
        rules = "".join(f"  --hotmem-{name}: {pair[i]};\n" for name, pair in UI.items())
        blocks.append(f'.{root}[data-theme="{theme}"] {{\n{rules}}}\n')
    return "".join(blocks)
