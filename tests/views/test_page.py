"""The exported page is one small file that asks nobody for anything."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from hotmem_viz.views.page import export_html
from hotmem_viz.views.wire import encode_recording
from tests.views.synthetic import OVERVIEW, TINY, make_recording


@pytest.fixture(scope="module")
def text():
    return export_html(make_recording(TINY))


def state_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="state">(.*?)</script>', text)
    assert found
    state: dict[str, Any] = json.loads(found[1])
    return state


def test_it_refers_to_nothing_outside(text):
    namespaces = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert set(re.findall(r"https?://[^\"'\s\\]+", text)) <= namespaces
    assert not re.search(r"<(?:script|img|iframe|link)[^>]+(?:src|href)=\"(?!data:)", text)
    assert not re.search(r"@import|url\((?!#)", text.replace("\\u003c", "<"))


def test_it_carries_the_recordings_own_bytes(text):
    message = base64.b64decode(state_of(text)["recording"])
    assert message == encode_recording(make_recording(TINY))


def test_it_carries_the_chart_and_says_what_it_is(text):
    chart = state_of(text)["chart"]
    assert chart["light"].startswith("<svg")
    assert chart["dark"].startswith("<svg")
    assert "<title>Kernel zones run dry · Synthetic machine, 2 nodes · hotmem_viz</title>" in text


def test_words_of_a_recording_cannot_break_out(tmp_path):
    recording = make_recording(TINY)
    recording.meta["title"] = "</script><b>&"
    text = export_html(recording, tmp_path / "x.html")
    assert (tmp_path / "x.html").read_text(encoding="utf-8") == text
    assert "</script><b>" not in text
    assert "<title>&lt;/script&gt;&lt;b&gt;&amp; ·" in text


def test_the_largest_map_stays_below_two_megabytes():
    assert len(export_html(make_recording(OVERVIEW)).encode()) < 2_000_000
