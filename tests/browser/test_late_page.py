"""What a kernel says while a page is being put together is not lost, though no model hears it."""

from __future__ import annotations

import json
import sys

import pytest

import hotmem_viz
from tests.browser.stage import StagePage
from tests.conftest import free_port, serving

pytestmark = pytest.mark.browser

CELL = """\
import ipywidgets, hotmem_viz
from hotmem_viz.views.stage import Stage
recording = hotmem_viz.run("hot_remove")
stage = Stage()
answer = ipywidgets.Widget._handle_control_comm_msg
def answer_and_go_on(msg):
    # The page's manager has its answer and no model yet: what is sent now may reach nobody.
    answer(msg)
    if not stage.run:
        send, stage.comm.send = stage.comm.send, lambda *_, **__: None
        stage.show(recording)
        stage.theme = "dark"
        stage.draw_chart()
        stage.comm.send = send
ipywidgets.Widget._handle_control_comm_msg = answer_and_go_on
stage
"""
NBFORMAT = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}}


@pytest.fixture(scope="module")
def voila(tmp_path_factory):
    """Voila with a page whose stage is given its recording between the answer and the model."""
    home = tmp_path_factory.mktemp("late")
    cell = {"cell_type": "code", "source": CELL, "metadata": {}, "outputs": [], "id": "late"}
    notebook = {"cells": [{**cell, "execution_count": None}], **NBFORMAT}
    (home / "late.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    port = free_port()
    command = [
        *(sys.executable, "-m", "voila", str(home / "late.ipynb"), "--no-browser"),
        *(
            "--template=hotmem",
            "--Voila.ip=127.0.0.1",
            f"--Voila.port={port}",
            "--Voila.port_retries=0",
        ),
    ]
    with serving(command, f"http://127.0.0.1:{port}", home / "served") as server:
        yield server


def test_a_stage_that_missed_its_recording_asks_for_it(page, voila):
    page.set_default_timeout(20_000)
    page.goto(voila.address)
    stage = StagePage(page).wait_until_ready()
    assert stage.ticks == hotmem_viz.run("hot_remove").n_ticks
    stage.wait_for("theme", "dark")
    page.locator(".hotmem-chart svg").wait_for()
