"""Boot options, from people strictly and from command lines as the kernel reads them."""

from __future__ import annotations

import pytest

from hotmem_viz.errors import BootOptionError, ParameterError
from hotmem_viz.machine.boot_options import BootOptions, movable_share, parse_boot_options


def kernel(text: str) -> BootOptions:
    return parse_boot_options(text, strict=False)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", {}),
        ("kernelcore=512M", {"kernelcore_bytes": 512 << 20}),
        (
            "kernelcore=1g movablecore=2T",
            {"kernelcore_bytes": 1 << 30, "movablecore_bytes": 2 << 40},
        ),
        ("movablecore=85%", {"movablecore_percent": 85}),
        ("kernelcore=mirror", {"kernelcore_mirror": True}),
        ("movable_node", {"movable_node": True}),
        ("movablecore=8192", {"movablecore_bytes": 8192}),
    ],
)
def test_well_formed_options_mean_the_same_to_both(text, fields):
    for strict in (True, False):
        assert parse_boot_options(text, strict=strict) == BootOptions(**fields, text=text)


@pytest.mark.parametrize(
    ("text", "names", "says"),
    [
        ("kernelcor=1G", "kernelcor=1G", "did you mean kernelcore?"),
        ("quiet", "quiet", "allowed are kernelcore"),
        ("kernelcore", "kernelcore: ''", "a size such as 512M"),
        ("kernelcore=", "kernelcore: ''", "a size such as 512M"),
        ("kernelcore=1GB", "'1GB'", "a size such as 512M"),
        ("kernelcore=0x10M", "'0x10M'", "a size such as 512M"),
        ("kernelcore=-1G", "'-1G'", "a size such as 512M"),
        ("kernelcore=101%", "'101%'", "0 to 100"),
        ("kernelcore=12.5%", "'12.5%'", "0 to 100"),
        ("movablecore=mirror", "'mirror'", "a percent such as 25% is allowed"),
        ("movablecore=1000", "'1000'", "multiple of the 4K page"),
        ("movable_node=1", "movable_node=1", "takes no value"),
        ("kernelcore=1G kernelcore=2G", "kernelcore=2G", "once"),
    ],
)
def test_a_wrong_option_is_answered_with_what_is_allowed(text, names, says):
    with pytest.raises(BootOptionError) as error:
        parse_boot_options(text, strict=True)
    assert names in str(error.value)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("quiet console=ttyS0,115200 root=/dev/sda", {}),
        ("kernelcore=1G kernelcore=2G", {"kernelcore_bytes": 2 << 30}),
        ("kernelcore=1G kernelcore=50%", {"kernelcore_bytes": 1 << 30, "kernelcore_percent": 50}),
        ("kernelcore=50% kernelcore=1G", {"kernelcore_bytes": 1 << 30}),
        ("kernelcore=0x100M", {"kernelcore_bytes": 256 << 20}),
        ("kernelcore=010", {"kernelcore_bytes": 8}),
        ("kernelcore=1Gjunk", {"kernelcore_bytes": 1 << 30}),
        ("kernelcore=junk", {"kernelcore_bytes": 0}),
        ("kernelcore=none,mirror", {"kernelcore_mirror": True}),
        ("movable-node=off", {"movable_node": True}),
        ('"kernelcore=1G"', {"kernelcore_bytes": 1 << 30}),
        ('kernelcore="1G"', {"kernelcore_bytes": 1 << 30}),
        ("movablecore=1M -- kernelcore=1G", {"movablecore_bytes": 1 << 20}),
        ("kernelcore=150%", {"kernelcore_percent": 150}),
        ("xkernelcore=1G", {}),
        ('init="a kernelcore=1G"', {}),
    ],
)
def test_the_kernel_accepts_much(text, fields):
    assert kernel(text) == BootOptions(**fields, text=text)


def test_percent_outranks_size_and_rounds_down():
    assert kernel("kernelcore=1G kernelcore=33%").kernelcore_pages(1001) == 330


def test_movable_share_is_movablecore_in_percent():
    assert movable_share(0.85) == parse_boot_options("movablecore=85%", strict=True)
    assert movable_share(0).movablecore_pages(1000) == 0


@pytest.mark.parametrize("share", [-0.1, 1.1, "0.5", None, True, float("nan")])
def test_movable_share_is_a_share(share):
    with pytest.raises(ParameterError, match=r"^movable: .* 0 to 1"):
        movable_share(share)


PREFIX = "memory_hotplug."


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("", "memmap_on_memory", False),
        (f"{PREFIX}memmap_on_memory=1", "memmap_on_memory", True),
        (f"{PREFIX}memmap_on_memory", "memmap_on_memory", True),
        (f"memory-hotplug.memmap-on-memory=yes {PREFIX}memmap_on_memory=maybe",
         "memmap_on_memory", True),
        (f"{PREFIX}memmap_on_memory=on {PREFIX}memmap_on_memory=off", "memmap_on_memory", False),
        (f"{PREFIX}memmap_on_memory=onwards", "memmap_on_memory", True),
        (f"{PREFIX}online_policy=auto-movable", "online_policy", "auto-movable"),
        (f"{PREFIX}online_policy=auto", "online_policy", "contig-zones"),
        (f"{PREFIX}auto_movable_ratio=0x64", "auto_movable_ratio", 100),
        (f"{PREFIX}auto_movable_ratio=0144", "auto_movable_ratio", 100),
        (f"{PREFIX}auto_movable_ratio=40%", "auto_movable_ratio", 301),
        (f"{PREFIX}auto_movable_ratio=4294967296", "auto_movable_ratio", 301),
        (f"{PREFIX}auto_movable_ratio", "auto_movable_ratio", 301),
        (f"{PREFIX}auto_movable_numa_aware=N", "auto_movable_numa_aware", False),
        ("", "default_state", None),
        ("memhp_default_state=online_movable", "default_state", "online_movable"),
        ("memhp_default_state=online memhp_default_state=on", "default_state", "online"),
        ("-- memhp_default_state=online", "default_state", None),
    ],
)  # fmt: skip
def test_hotplug_options_as_the_kernel_reads_them(text, field, value):
    read = getattr(parse_boot_options(f"quiet {text}", strict=False).hotplug, field)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"{PREFIX}memmap_on_memory=maybe", "1, 0, y, n, on and off"),
        (f"{PREFIX}memmap_on_memory=yellow", "1, 0, y, n, on and off"),
        (f"{PREFIX}online_policy=auto", "contig-zones, auto-movable"),
        (f"{PREFIX}auto_movable_ratio=3:1", "a percentage such as 301"),
        ("memhp_default_state=movable", "offline, online, online_kernel, online_movable"),
        ("memhp_default_state=online memhp_default_state=offline", "may be given once"),
        ("memhp_default_stat=online", "did you mean memhp_default_state"),
    ],
)
def test_wrong_hotplug_options_of_a_person(text, names):
    with pytest.raises(BootOptionError, match=names):
        parse_boot_options(text, strict=True)


def test_right_hotplug_options_of_a_person():
    text = f"movable_node {PREFIX}auto_movable_ratio=40 {PREFIX}memmap_on_memory=off"
    options = parse_boot_options(text, strict=True)
    assert options.movable_node
    assert (options.hotplug.auto_movable_ratio, options.hotplug.memmap_on_memory) == (40, False)
