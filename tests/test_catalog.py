"""Scenarios and machines by name, and the package's front door."""

from __future__ import annotations

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz import catalog
from hotmem_viz.errors import ParameterError
from hotmem_viz.kernel.captures import captures_folder
from hotmem_viz.machine.spec import Arch
from hotmem_viz.scenarios.exhaustion import Exhaustion
from hotmem_viz.scenarios.parameters import DEFAULT_MOVABLE, ExhaustionParameters
from tests.changed_captures import keep, make_capture


def test_a_scenario_is_found_by_name():
    assert catalog.find_scenario("exhaustion") == (Exhaustion, ExhaustionParameters)


@pytest.mark.parametrize("name", ["tea", "", "Exhaustion", None, 3])
def test_an_unknown_scenario_is_refused_with_the_known_ones(name):
    for use in (catalog.find_scenario, catalog.build_run, hotmem_viz.run):
        with pytest.raises(ParameterError) as caught:
            use(name)
        known = ", ".join(catalog.SCENARIOS)
        assert str(caught.value) == f"scenario: {name!r} is not allowed; scenarios are {known}"


def test_building_a_run_does_not_run_it():
    run = catalog.build_run("exhaustion", seed=4)
    assert not run.is_over
    assert run.parameters.seed == 4
    assert run.memory.zones.free.sum() > 0


def test_the_front_door_runs_what_the_catalog_runs():
    a, b = hotmem_viz.run("exhaustion", seed=4), catalog.run("exhaustion", seed=4)
    assert a.meta == b.meta
    assert np.array_equal(a.counters_array, b.counters_array)


def test_presets_boot_as_their_story_wants():
    usual = {
        name: catalog.choose_setup(name, None, "").options.text
        for name in ("classroom", "server", "pae", "mail")
    }
    assert usual == {
        "classroom": f"movablecore={DEFAULT_MOVABLE:.0%}",
        "server": f"movablecore={DEFAULT_MOVABLE:.0%}",
        "pae": "",
        "mail": "movable_node",
    }
    assert catalog.choose_setup("pae", None, "").profile.name == "6.1-pae"
    assert catalog.choose_setup("mail", None, "").profile.name == "6.1"


def test_a_share_or_typed_options_replace_what_is_usual():
    assert catalog.choose_setup("mail", 0.5, "").options.text == "movablecore=50%"
    assert catalog.choose_setup("mail", 0.0, "").options.text == ""
    assert catalog.choose_setup("pae", None, "movablecore=4G").options.movablecore_bytes == 4 << 30


def test_a_capture_is_a_machine_by_name_and_by_path():
    by_name = catalog.choose_setup("b-files-85", None, "")
    by_path = catalog.choose_setup(str(captures_folder() / "b-files-85.tar.xz"), None, "")
    assert by_name.spec.nodes == by_path.spec.nodes
    assert by_name.options == by_path.options
    assert by_name.spec.arch is Arch.X86_64
    assert by_name.profile.name == "6.1"
    assert catalog.choose_setup("e-boot-04G", None, "").profile.name == "6.1-pae"


def test_a_captures_own_options_give_way_to_typed_ones():
    own = catalog.choose_setup("b-files-85", None, "").options
    assert own.movablecore_percent or own.kernelcore_bytes or own.movablecore_bytes
    typed = catalog.choose_setup("b-files-85", None, "kernelcore=512M").options
    assert typed.kernelcore_bytes == 512 << 20
    assert catalog.choose_setup("b-files-85", 0.5, "").options.movablecore_percent == 50


def test_a_machine_that_is_neither_is_refused_with_the_reason(tmp_path):
    damaged = tmp_path / "damaged.tar.xz"
    damaged.write_bytes(b"\xfd7zXZ\x00 and no more")
    for machine in ("toaster", str(tmp_path), str(damaged), str(tmp_path / "no such file.tar.xz")):
        with pytest.raises(ParameterError) as caught:
            catalog.choose_setup(machine, None, "")
        text = str(caught.value)
        assert text.startswith(f"machine: {machine!r} is not allowed; allowed are classroom,")
        assert "\n" not in text


@pytest.mark.parametrize(
    ("name", "profile"),
    [("v72-b-vmas-768M-75", "7.2"), ("v612-b-pipes-2G-40", "6.12"), ("e-boot-01G", "6.1-pae")],
)
def test_a_capture_brings_its_kernels_profile(name, profile):
    assert catalog.choose_setup(name, None, "").profile.name == profile


def test_a_capture_of_a_kernel_without_profile_says_so(tmp_path):
    unknown = make_capture(tmp_path, "b-files-85", keep, kernel="5.10.0-8-amd64")
    with pytest.raises(ParameterError, match=r"profile: '5\.10' is not allowed; allowed are 6\.1"):
        catalog.choose_setup(unknown, None, "")


def test_recordings_load_from_the_front_door(tmp_path):
    recording = hotmem_viz.run("exhaustion")
    path = recording.save(tmp_path / "x.npz")
    assert hotmem_viz.load(path).meta == recording.meta
    assert hotmem_viz.load(str(path)).n_ticks == recording.n_ticks
