"""The widget shows a recording, draws its chart without keeping the kernel, answers a ping."""

from __future__ import annotations

import asyncio

import pytest

from hotmem_viz.views import figures
from hotmem_viz.views.display import mimebundle
from hotmem_viz.views.stage import Stage
from hotmem_viz.views.wire import encode_recording
from tests.views.synthetic import TINY, make_recording


async def until(condition, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (a trait has no event to wait for)
            await asyncio.sleep(0.01)


def test_outside_a_loop_the_chart_waits_to_be_asked_for():
    stage = Stage(make_recording(TINY))
    assert stage.recording == encode_recording(make_recording(TINY))
    assert stage.chart == {}
    stage.draw_chart()
    assert stage.chart["light"].startswith("<svg")


def test_inside_a_loop_the_chart_follows_by_itself():
    async def show() -> Stage:
        stage = Stage(make_recording(TINY))
        assert stage.chart == {}
        await until(lambda: stage.chart)
        return stage

    assert asyncio.run(show()).chart["ghost"] is False


def test_of_many_runs_only_the_newest_gets_its_chart():
    async def show() -> list[float]:
        stage, seen = Stage(), []
        stage.observe(lambda change: seen.append(change.new.get("right")), "chart")
        older, newer = make_recording(TINY, seed=1), make_recording(TINY, seed=2)
        for _ in range(3):
            stage.show(older)
        stage.show(newer, older)
        await until(lambda: stage.chart)
        assert stage.chart["ghost"] is True
        return [right for right in seen if right is not None]

    assert len(asyncio.run(show())) == 1


def test_a_chart_that_cannot_be_drawn_says_so_on_the_page(monkeypatch: pytest.MonkeyPatch):
    def fail(*_args):
        raise ValueError("no such thing")

    monkeypatch.setattr(figures, "chart_payload", fail)

    async def show() -> str:
        stage = Stage(make_recording(TINY))
        await until(lambda: stage.error)
        return stage.error

    assert asyncio.run(show()) == "The chart could not be drawn: no such thing"


def test_a_new_recording_clears_the_error():
    stage = Stage()
    stage.error = "something"
    stage.show(make_recording(TINY))
    assert stage.error == ""


def test_a_ping_is_answered():
    stage = Stage()
    sent: list[dict[str, str]] = []
    stage.send = sent.append
    stage._handle_custom_msg({"type": "ping"}, [])
    stage._handle_custom_msg({"type": "something else"}, [])
    assert sent == [{"type": "pong"}]


HAS = {"type": "have", "address": "none", "busy": False, "error": "", "theme": "auto"}


@pytest.mark.parametrize(
    ("has", "told"),
    [
        ({"run": 1, "charted": True}, []),
        ({"run": 1, "charted": False}, ["chart"]),
        ({"run": 1, "charted": True, "theme": "dark"}, ["theme"]),
        ({"run": 0, "charted": False}, ["run", "tick", "chart", "recording"]),
        (
            {"run": None, "charted": True, "busy": True},
            ["busy", "run", "tick", "chart", "recording"],
        ),
    ],
)
def test_a_browser_is_told_what_it_has_missed_and_nothing_else(monkeypatch, has, told):
    stage = Stage(make_recording(TINY))
    stage.draw_chart()
    sent: list[list[str]] = []
    monkeypatch.setattr(stage, "send_state", sent.append)
    stage._handle_custom_msg({**HAS, **has}, [])
    assert sent == ([told] if told else [])


def test_a_recording_displays_as_a_widget_with_its_chart():
    bundle = mimebundle(make_recording(TINY))
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data
