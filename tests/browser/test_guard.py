"""The guard itself: a page that reaches outside, or breaks, would be seen."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Guard

pytestmark = pytest.mark.browser


def test_a_request_to_elsewhere_is_seen(bare_page):
    guard = Guard(bare_page)
    with bare_page.expect_event("requestfailed"):
        bare_page.set_content('<img src="http://elsewhere.example/a.png">')
    assert guard.outside == ["http://elsewhere.example/a.png"]
    with pytest.raises(AssertionError, match="not on this machine"):
        guard.check()


def test_a_broken_script_is_seen(bare_page):
    guard = Guard(bare_page)
    with bare_page.expect_event("pageerror"):
        bare_page.set_content("<script>setTimeout(() => { throw new Error('broken'); })</script>")
    with pytest.raises(AssertionError, match="broke"):
        guard.check()


def test_a_page_that_stays_home_passes(bare_page, dashboard):
    guard = Guard(bare_page)
    bare_page.goto(dashboard.address + "/voila/static/voila.js")
    guard.check()
