"""Links: what is written is read back, and what nobody should have written is refused in a line."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hotmem_viz
from hotmem_viz.catalog import SCENARIOS, find_scenario
from hotmem_viz.errors import ParameterError
from hotmem_viz.links import MOST, LinkState, read_link, split_fragment, write_link
from hotmem_viz.scenarios.controls import list_controls, read_value, write_value
from hotmem_viz.scenarios.parameters import ExhaustionParameters
from tests.links import HOSTILE, READ, parts_of, shown_of, written_cases

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
OF_KIND: dict[str, Any] = {
    "choice": lambda c: st.sampled_from(sorted(c.choices.values())),
    "share": lambda c: st.floats(c.lowest, c.highest),
    "number": lambda c: st.floats(c.lowest, c.highest),
    "whole": lambda c: st.integers(int(c.lowest), int(c.highest)),
    "flag": lambda _: st.booleans(),
    "text": lambda _: TEXTS,
}
UNDECLARED = {
    "machine": st.just("classroom"),
    "movable": st.none() | st.floats(0, 1),
    "boot": st.just(""),
    "workload": st.sampled_from(["files", "dirs", "sockets"]),
    "user": st.floats(0, 0.95),
    "seed": st.integers(0, 2**31),
    "ballast": st.integers(0, 10**6),
    "profile": st.sampled_from(["", "6.12"]),
}


def recording_of(scenario: str, parameters: Any) -> Any:
    """Return just enough of a recording for its link: what it was given, and the defaults."""
    given, usual = dataclasses.asdict(parameters), dataclasses.asdict(type(parameters)())
    return shown_of({"scenario": scenario, "parameters": given, "defaults": usual})


@st.composite
def parameters_of(draw: st.DrawFn, scenario: str) -> Any:
    """Draw parameters that a scenario accepts: some of its fields, within what they declare."""
    _, cls = find_scenario(scenario)
    controls = list_controls(cls)
    names = draw(st.sets(st.sampled_from([f.name for f in dataclasses.fields(cls)])))
    drawn = {}
    for name in sorted(names):
        control = controls.get(name)
        drawn[name] = draw(OF_KIND[control.kind](control) if control else UNDECLARED[name])
    if "machine" in drawn and not controls.get("machine", None):
        drawn["machine"] = "classroom"
    elif "machine" in drawn and controls["machine"].kind == "text":
        drawn["machine"] = draw(st.sampled_from(["classroom", "server", "pae", "mail"]))
    try:
        return cls(**drawn)
    except ParameterError:  # two that do not go together
        return cls(**({"seed": drawn["seed"]} if "seed" in drawn else {}))


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_parameters_come_back_from_their_link(scenario, data):
    parameters = data.draw(parameters_of(scenario))
    tick = data.draw(st.integers(0, 999_999_999))
    theme = data.draw(st.sampled_from(["auto", "light", "dark"]))
    text = write_link(recording_of(scenario, parameters), tick, theme)
    if len(text) > MOST:
        return
    for link in (text, f"#{text}", f"https://x.org:1/a?b=c#{text}"):
        state = read_link(link, "starvation")
        assert (state.scenario, state.tick, state.theme) == (scenario, tick, theme)
        assert type(parameters)(**state.parameters) == parameters


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e20, max_value=1e20))
def test_numbers_come_back_exactly(value):
    (field,) = (f for f in dataclasses.fields(ExhaustionParameters) if f.name == "user")
    assert read_value(field, write_value(value)) == value


def test_only_what_differs_is_written_and_always_the_seed():
    recording = hotmem_viz.run("hot_remove", obstacle="pin", user=0.25)
    text = write_link(recording, 14, "dark")
    assert text == "scenario=hot_remove&obstacle=pin&user=0.25&seed=7&tick=14&theme=dark"
    assert write_link(recording) == "scenario=hot_remove&obstacle=pin&user=0.25&seed=7&tick=0"


def test_a_parameter_with_a_reserved_name_has_a_prefix():
    recording = hotmem_viz.run("boot_options", beside="percent")
    text = write_link(recording)
    assert text == "scenario=boot_options&p.beside=percent&seed=7&tick=0"
    assert read_link(text).parameters == {"beside": "percent", "seed": 7}
    with pytest.raises(ParameterError, match="beside: 'percent' is not allowed; scenarios whose"):
        read_link("scenario=boot_options&beside=percent")


def test_two_kernels_on_one_stage_have_a_link():
    pair = hotmem_viz.beside("exhaustion", profiles=("", "7.2"), seed=3)
    text = write_link(pair, 9)
    assert text == "scenario=exhaustion&seed=3&beside=7.2&tick=9"
    assert read_link(text) == LinkState("exhaustion", {"seed": 3}, "7.2", 9)


def test_two_strategies_on_one_stage_have_a_link():
    pair = hotmem_viz.beside("strategies", strategy=("percent", "remap"), removals=2)
    text = write_link(pair, 9)
    assert text == "scenario=strategies&strategy=percent&removals=2&seed=7&beside=remap&tick=9"
    wanted = {"strategy": "percent", "removals": 2, "seed": 7}
    assert read_link(text) == LinkState("strategies", wanted, "remap", 9)
    assert write_link(hotmem_viz.beside("strategies", target=("section", "page"))) == ""


def test_odd_values_are_written_so_that_they_come_back():
    odd = written_cases()[0]
    said = split_fragment(odd["text"])
    given = odd["metas"][0]["parameters"]
    assert said.parameters["boot"] == given["boot"]
    assert said.parameters["sum"] == "0.30000000000000004"
    assert [said.parameters[n] for n in ("small", "large", "fine")] == [
        "1e-7",
        "100000000",
        "0.000001234",
    ]
    assert "same" not in said.parameters
    texts = [case["text"] for case in written_cases()[1:]]
    assert texts == [
        "scenario=exhaustion&machine=pae&seed=1&beside=7.2&tick=8",
        "",
        "scenario=exhaustion&machine=pae&seed=1&beside=machine=64bit&tick=4",
        "scenario=strategies&seed=7&tick=1",
        "scenario=strategies&seed=7&beside=remap&tick=2",
        "scenario=strategies&seed=7&beside=all&tick=9",
        "",
        "",
        "scenario=exhaustion&machine=pae&seed=1&profile=7.2&beside=&tick=1&theme=light",
    ]


def test_what_no_scenario_has_made_has_no_link(tmp_path):
    recording = hotmem_viz.run("hot_remove")
    recording.save(tmp_path / "a.npz")
    assert write_link(hotmem_viz.load(tmp_path / "a.npz")) == write_link(recording)
    del recording.meta["defaults"]
    assert write_link(recording) == ""


@pytest.mark.parametrize("text", READ)
def test_what_can_be_read_is_read(text):
    assert parts_of(split_fragment(text)) == READ[text]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:30])
def test_what_is_no_link_is_refused_by_name(text):
    name, allowed = HOSTILE[text]
    with pytest.raises(ParameterError) as caught:
        split_fragment(text)
    assert (caught.value.name, caught.value.allowed) == (name, allowed)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("scenario=<b>", "scenario: '<b>' is not allowed; scenarios are "),
        ("scenario=hot_remove&obstackle=pin", "obstackle: 'pin' is not allowed; parameters are "),
        ("scenario=hot_remove&obstacle=pim", "obstacle: 'pim' is not allowed; allowed are nothing"),
        ("user=NaN", "user: 'NaN' is not allowed; a number from 0 to 0.95 is needed"),
        ("user=inf", "user: 'inf' is not allowed; a number from 0 to 0.95 is needed"),
        ("user=1e999", "user: inf is not allowed; a number from 0 to 0.95 is needed"),
        ("seed=1_0", "seed: '1_0' is not allowed; a whole number"),
        ("seed=7.0", "seed: '7.0' is not allowed; a whole number"),
        ("seed=%D9%A3", "seed: '٣' is not allowed; a whole number"),
        ("scenario=hot_remove&callbacks=True", "callbacks: 'True' is not allowed; true or false"),
        ("scenario=hot_remove&user=true", "user: 'true' is not allowed; a number from 0 to 0.9"),
        ("machine=/etc/passwd", "machine: '/etc/passwd' is not allowed; a link names classroom"),
        ("machine=../a.tar.xz", "machine: '../a.tar.xz' is not allowed; a link names classroom"),
        ("scenario=starvation&machine=%00", r"machine: '\x00' is not allowed; a link names"),
        ("scenario=hot_remove&beside=7.2", "beside: '7.2' is not allowed; scenarios whose"),
        ("scenario=strategies&beside=7.2", "beside: '7.2' is not allowed; allowed are none, per"),
        ("beside=9.9", "beside: '9.9' is not allowed; "),
        ("__class__=1", "__class__: '1' is not allowed; parameters are "),
    ],
)
def test_what_a_scenario_does_not_accept_is_refused_in_its_words(text, line):
    with pytest.raises(ParameterError) as caught:
        read_link(text)
    assert str(caught.value).startswith(line)


def test_a_link_names_a_capture_that_comes_with_the_package():
    assert read_link("machine=b-files-85").parameters == {"machine": "b-files-85"}


def test_without_a_scenario_the_given_one_is_meant():
    assert read_link("").scenario == "exhaustion"
    assert read_link("#obstacle=pin", "hot_remove").parameters == {"obstacle": "pin"}
