"""The boot options of memory that is added later, read as the kernel or as a person means them.

Sources: mm/memory_hotplug.c, 6.1 (module parameters of memory_hotplug, memhp_default_state=);
Documentation/admin-guide/mm/memory-hotplug.rst.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hotmem_viz.errors import BootOptionError

CONTIG_ZONES, AUTO_MOVABLE = "contig-zones", "auto-movable"
ONLINE_POLICIES = (CONTIG_ZONES, AUTO_MOVABLE)

OFFLINE, ONLINE, ONLINE_KERNEL, ONLINE_MOVABLE = ONLINE_STRINGS = (
    "offline",
    "online",
    "online_kernel",
    "online_movable",
)
"""What can be written to a block's state, and what memhp_default_state= takes."""

AUTO_MOVABLE_RATIO = 301
"""Percent: memory in Movable zones for each early page of kernel zones (auto_movable_ratio)."""

_PREFIX = "memory_hotplug."
HOTPLUG_NAMES = {
    f"{_PREFIX}memmap_on_memory": "memmap_on_memory",
    f"{_PREFIX}online_policy": "online_policy",
    f"{_PREFIX}auto_movable_ratio": "auto_movable_ratio",
    f"{_PREFIX}auto_movable_numa_aware": "auto_movable_numa_aware",
    "memhp_default_state": "default_state",
}
"""The options by name, and the fields of `HotplugOptions` that they set."""

_WORDS = {"default_state": ONLINE_STRINGS, "online_policy": ONLINE_POLICIES}
_U32 = (1 << 32) - 1


@dataclass(frozen=True)
class HotplugOptions:
    """How added memory is onlined, and where its memory map lies.

    `default_state` is what becomes of added blocks by themselves; None leaves it to how the
    kernel was built (`KernelProfile.default_state`). `auto_movable_ratio` is a percentage.
    """

    memmap_on_memory: bool = False
    online_policy: str = CONTIG_ZONES
    auto_movable_ratio: int = AUTO_MOVABLE_RATIO
    auto_movable_numa_aware: bool = True
    default_state: str | None = None


def kernel_value(name: str, value: str | None) -> dict[str, bool | int | str]:
    """Return what the kernel makes of one option; nothing where it refuses the value.

    value: None where the word has no "=". A refused value leaves what was set before
    (param_set_bool, param_set_uint, set_online_policy, setup_memhp_default_state; 6.1).
    """
    name = HOTPLUG_NAMES[name]
    if name in _WORDS:
        # sysfs_streq: one newline at the end does no harm.
        text = (value or "").removesuffix("\n")
        return {name: text} if text in _WORDS[name] else {}
    if name == "auto_movable_ratio":
        number = _kstrtouint(value or "")
        return {} if number is None else {name: number}
    switch = _kstrtobool(value if value is not None else "1")
    return {} if switch is None else {name: switch}


def person_value(name: str, value: str) -> dict[str, bool | int | str]:
    """Return what a person asks for.

    Raises
    ------
    BootOptionError
        Names the option, its value and what is allowed.
    """
    key = HOTPLUG_NAMES[name]
    if key in _WORDS:
        if value not in _WORDS[key]:
            raise BootOptionError(name, value, f"allowed are {', '.join(_WORDS[key])}")
        return {key: value}
    if key == "auto_movable_ratio":
        if not re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
            raise BootOptionError(name, value, "a percentage such as 301 is allowed")
        return {key: int(value)}
    switch = _kstrtobool(value)
    if switch is None or value.lower() not in ("0", "1", "y", "n", "on", "off"):
        raise BootOptionError(name, value, "allowed are 1, 0, y, n, on and off")
    return {key: switch}


def _kstrtobool(text: str) -> bool | None:
    """Read a truth value by its first letter or two, as the kernel does (lib/kstrtox.c)."""
    first, second = text[:1].lower(), text[1:2].lower()
    if first == "o":
        return {"n": True, "f": False}.get(second)
    return {"y": True, "1": True, "n": False, "0": False}.get(first)


def _kstrtouint(text: str) -> int | None:
    """Read a whole number that fills the text, base by prefix, of 32 bits (kstrtouint)."""
    text = text.removesuffix("\n").removeprefix("+")
    for pattern, base in ((r"0[xX]([0-9a-fA-F]+)", 16), (r"0([0-7]+)", 8), (r"([0-9]+)", 10)):
        match = re.fullmatch(pattern, text, re.ASCII)
        if match:
            number = int(match[1], base)
            return number if number <= _U32 else None
    return None
