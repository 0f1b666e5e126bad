"""The boot options that decide zones, read as the kernel or as a person means them.

Those of memory that is added later are read by `hotplug_options`.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field

from hotmem_viz.errors import BootOptionError, ParameterError
from hotmem_viz.machine.hotplug_options import (
    HOTPLUG_NAMES,
    HotplugOptions,
    kernel_value,
    person_value,
)
from hotmem_viz.units import parse_size
from hotmem_viz.vocabulary import PAGE_SIZE

OPTION_NAMES = (
    "kernelcore",
    "movablecore",
    "movable_node",
    "vmalloc",
    "userpte",
    *HOTPLUG_NAMES,
)
_U64 = (1 << 64) - 1
_SUFFIX_SHIFTS = {"K": 10, "M": 20, "G": 30, "T": 40, "P": 50, "E": 60}


@dataclass(frozen=True)
class BootOptions:
    """What the command line asks for; None means that the option is absent.

    `hotplug` is what it asks of memory that is added later.

    Sizes are bytes, percents are whole numbers. A percent outranks a size of the same
    option, as in find_zone_movable_pfns_for_nodes (mm/page_alloc.c, 6.1). vmalloc= and userpte=
    mean something to 32-bit kernels alone: what vmalloc() keeps of the kernel's address space,
    and whether page tables stay out of high memory. `movable_ranges` are ranges of pfns that no
    released kernel takes; they exclude the rest (`machine.movable_map`). `text` is the command
    line that was read.
    """

    kernelcore_bytes: int | None = None
    kernelcore_percent: int | None = None
    kernelcore_mirror: bool = False
    movablecore_bytes: int | None = None
    movablecore_percent: int | None = None
    movable_node: bool = False
    vmalloc_bytes: int | None = None
    userpte_nohigh: bool = False
    movable_ranges: tuple[tuple[int, int], ...] = ()
    text: str = ""
    hotplug: HotplugOptions = field(default_factory=HotplugOptions)

    def kernelcore_pages(self, total: int) -> int:
        """Pages asked for kernelcore on a machine of `total` pages; 0 when absent."""
        return _pages(self.kernelcore_bytes, self.kernelcore_percent, total)

    def movablecore_pages(self, total: int) -> int:
        """Pages asked for movablecore on a machine of `total` pages; 0 when absent."""
        return _pages(self.movablecore_bytes, self.movablecore_percent, total)


def _pages(size: int | None, percent: int | None, total: int) -> int:
    if percent:
        return total * 100 * percent // 10000
    return (size or 0) // PAGE_SIZE


def movable_share(share: float) -> BootOptions:
    """Return the options that ask for a share of the machine: movablecore=N%.

    `share` lies in 0..1 and is rounded to a whole percent, which is all that the option
    takes. A share of 1 is what it is on a real kernel: no ZONE_MOVABLE at all.

    Raises
    ------
    ParameterError
        When `share` is no number from 0 to 1.
    """
    # Values come from sliders and links, whatever the annotation says.
    value: object = share
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ParameterError("movable", share, "a share from 0 to 1 is needed")
    percent = round(share * 100)
    return BootOptions(movablecore_percent=percent, text=f"movablecore={percent}%")


def parse_boot_options(text: str, *, strict: bool) -> BootOptions:
    """Read boot options from `text`.

    With `strict`, from a person: only known options, each at most once and well formed.
    Without, from a full command line as the kernel reads it: everything else is ignored,
    the last of an option wins, nothing is refused (parse_args in kernel/params.c,
    cmdline_parse_core in mm/page_alloc.c, memparse in lib/cmdline.c; 6.1).

    Raises
    ------
    BootOptionError
        With `strict` only: names the option, its value and what is allowed.
    """
    return _parse_person(text) if strict else _parse_kernel(text)


def _parse_person(text: str) -> BootOptions:
    fields: dict[str, int | bool] = {}
    hotplug: dict[str, bool | int | str] = {}
    seen: set[str] = set()
    for word in text.split():
        name, equals, value = word.partition("=")
        if name not in OPTION_NAMES:
            raise BootOptionError("boot option", word, _known_options(name))
        if name in seen:
            raise BootOptionError(name, word, "each option may be given once")
        seen.add(name)
        if name == "movable_node":
            if equals:
                raise BootOptionError(name, word, "movable_node takes no value")
            fields[name] = True
        elif name in HOTPLUG_NAMES:
            hotplug.update(person_value(name, value))
        elif name == "userpte":
            if value != "nohigh":
                raise BootOptionError(name, value, "nohigh is allowed")
            fields["userpte_nohigh"] = True
        else:
            fields.update(_person_amount(name, value))
    return BootOptions(**fields, text=text, hotplug=HotplugOptions(**hotplug))  # type: ignore[arg-type]


def _known_options(name: str) -> str:
    close = difflib.get_close_matches(name.lower().replace("-", "_"), OPTION_NAMES, 1)
    hint = f"did you mean {close[0]}? " if close else ""
    return (
        f"{hint}allowed are kernelcore=SIZE|N%|mirror, movablecore=SIZE|N%, movable_node, "
        f"{'=, '.join(HOTPLUG_NAMES)}=, and for 32-bit kernels vmalloc=SIZE and userpte=nohigh"
    )


def _person_amount(name: str, value: str) -> dict[str, int | bool]:
    if name == "kernelcore" and value == "mirror":
        return {"kernelcore_mirror": True}
    forms = "a size such as 512M"
    if name != "vmalloc":
        forms += ", a percent such as 25%"
    forms += " or mirror is allowed" if name == "kernelcore" else " is allowed"
    if value.endswith("%") and name != "vmalloc":
        if not re.fullmatch(r"[0-9]{1,3}%", value, re.ASCII) or int(value[:-1]) > 100:
            raise BootOptionError(name, value, f"{forms}; a percent is a whole number 0 to 100")
        return {f"{name}_percent": int(value[:-1])}
    try:
        size = parse_size(value)
    except ParameterError:
        raise BootOptionError(name, value, forms) from None
    if size % PAGE_SIZE:
        raise BootOptionError(name, value, f"{forms}; a size is a multiple of the 4K page")
    return {f"{name}_bytes": size}


def _parse_kernel(text: str) -> BootOptions:
    fields: dict[str, int | bool | None] = {}
    hotplug: dict[str, bool | int | str] = {}
    for word in _kernel_words(text):
        name, equals, value = word.partition("=")
        if name == "--" and not equals:
            break
        name = name.replace("-", "_")
        value = value.removeprefix('"').removesuffix('"')
        if name == "movable_node":
            fields[name] = True
        elif name in HOTPLUG_NAMES:
            hotplug.update(kernel_value(name, value if equals else None))
        elif name in OPTION_NAMES and equals:
            if name == "userpte":
                # early_param takes "nohigh" alone, and no later word undoes it.
                fields["userpte_nohigh"] = fields.get("userpte_nohigh", False) or value == "nohigh"
            elif name == "vmalloc":
                fields["vmalloc_bytes"] = _memparse(value)
            elif name == "kernelcore" and "mirror" in value.split(","):
                fields["kernelcore_mirror"] = True
            else:
                fields.update(_kernel_amount(name, value))
    return BootOptions(**fields, text=text, hotplug=HotplugOptions(**hotplug))  # type: ignore[arg-type]


def _kernel_words(text: str) -> list[str]:
    """Split at white space outside double quotes (next_arg, lib/cmdline.c)."""
    words = re.findall(r'(?:"[^"]*(?:"|$)|[^\s"])+', text)
    return [w[1:].removesuffix('"') if w.startswith('"') else w for w in words]


def _kernel_amount(name: str, value: str) -> dict[str, int | None]:
    number, rest = _strtoull(value)
    if rest.startswith("%"):
        return {f"{name}_percent": number}
    return {f"{name}_bytes": _memparse(value), f"{name}_percent": None}


def _memparse(value: str) -> int:
    """Read a size as memparse does: a number, at most one suffix, whatever follows."""
    number, rest = _strtoull(value)
    return (number << _SUFFIX_SHIFTS.get(rest[:1].upper(), 0)) & _U64


def _strtoull(text: str) -> tuple[int, str]:
    """Read a number as simple_strtoull with base 0 does: 0x is hexadecimal, 0 octal."""
    for pattern, base in ((r"0[xX]([0-9a-fA-F]+)", 16), (r"0([0-7]*)", 8), (r"([0-9]+)", 10)):
        match = re.match(pattern, text, re.ASCII)
        if match:
            return int(match[1] or "0", base) & _U64, text[match.end() :]
    return 0, text
