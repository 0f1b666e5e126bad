"""Links in a browser: what they open, what they cost when they are hostile, and their copies."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import hotmem_viz
from hotmem_viz.links import write_link
from tests.browser.stage import StagePage

pytestmark = pytest.mark.browser

ON_SHOW = '.hotmem-stage[data-ready="true"]:visible'
LINK = "scenario=hot_remove&obstacle=pin&user=0.123&seed=9&tick=14&theme=dark"
SCRIPT = "<img src=x onerror=window.hotmemRan=1>"
HOSTILE = [
    ("scenario=%3Cb%3E", "scenario: '<b>' is not allowed"),
    (f"scenario=hot_remove&obstacle={SCRIPT}&seed=3&tick=2", f"obstacle: '{SCRIPT}' is not"),
    ("scenario=exhaustion&seed=3&tick=99999999", "tick: 99999999 is not allowed; a whole number"),
    ("boot=%zz&seed=3", "boot: '%zz' is not allowed; after a percent sign"),
    ("user=NaN&seed=3", "user: 'NaN' is not allowed; a number from 0 to 0.95"),
    ("seed=3&seed=4", "seed: '4' is not allowed; a link gives each name once"),
    ("machine=/etc/passwd&seed=3", "machine: '/etc/passwd' is not allowed; a link names"),
    ("boot=" + "x" * 1_000_000, "a link has at most 4,096 characters"),
]


def shown(page, tick=None):
    """Return the stage on show, which is the only one, at a tick."""
    found = page.locator(ON_SHOW)
    expect(found).to_have_count(1, timeout=60_000)
    if tick is not None:
        expect(found).to_have_attribute("data-tick", str(tick), timeout=60_000)
    return found


def address_becomes(page, fragment):
    page.wait_for_function("wanted => location.hash === `#${wanted}`", arg=fragment)


def test_the_dashboard_opens_the_tab_at_the_tick_with_the_controls_set(page, dashboard):
    page.goto(f"{dashboard.address}/#{LINK}")
    title = page.locator(f"{ON_SHOW} .hotmem-title", has_text="Hot-remove and what stays behind")
    title.wait_for()
    stage = shown(page, 14)
    assert stage.get_attribute("data-theme") == "dark"
    bar = page.locator(".hotmem-controls:visible").first
    assert bar.locator("select").nth(3).input_value() == "a pinned page"
    expect(bar.locator(".widget-readout").first).to_have_text("12.3%")
    expect(bar.locator("input[type=number]").nth(1)).to_have_value("9")
    address_becomes(page, LINK)
    truth = hotmem_viz.run("hot_remove", obstacle="pin", user=0.123, seed=9)
    assert stage.get_attribute("data-ticks") == str(truth.n_ticks)


def test_the_address_follows_what_settles_and_not_what_plays(page, dashboard):
    page.goto(f"{dashboard.address}/#scenario=hot_remove&tick=3")
    stage = shown(page, 3)
    address_becomes(page, "scenario=hot_remove&seed=7&tick=3")
    length = page.evaluate("history.length")
    stage.focus()
    page.keyboard.press("ArrowRight")
    address_becomes(page, "scenario=hot_remove&seed=7&tick=4")
    page.keyboard.press("Space")
    page.wait_for_function("root => Number(root.dataset.tick) >= 7", arg=stage.element_handle())
    assert page.evaluate("location.hash").endswith("tick=4")
    page.keyboard.press("Space")
    expect(stage).to_have_attribute("data-playing", "false")
    address_becomes(page, f"scenario=hot_remove&seed=7&tick={stage.get_attribute('data-tick')}")
    page.locator(".hotmem-controls:visible select").nth(3).select_option("one slab page")
    panel = page.locator(".hotmem-error:visible").get_by_text("obstacle")
    panel.wait_for()
    page.locator(".hotmem-controls:visible select").nth(3).select_option("a pinned page")
    page.wait_for_function("() => location.hash.includes('obstacle=pin&seed=7')")
    page.get_by_role("tab").nth(2).click()
    address_becomes(page, "scenario=starvation&seed=7&tick=0")
    assert page.evaluate("history.length") == length


def test_another_link_in_the_address_is_followed_and_a_way_back(page, dashboard):
    page.goto(dashboard.address + "/")
    shown(page, 0)
    assert page.evaluate("location.hash") == ""
    page.evaluate("location.hash = '#scenario=starvation&seed=8&tick=5'")
    page.locator(f"{ON_SHOW} .hotmem-title", has_text="Page tables starve").wait_for()
    shown(page, 5)
    page.evaluate("location.hash = '#scenario=exhaustion&seed=8&beside=7.2&tick=6'")
    page.wait_for_selector(".hotmem-stage.hotmem-pair:visible")
    shown(page, 6)
    address_becomes(page, "scenario=exhaustion&seed=8&beside=7.2&tick=6")


@pytest.mark.parametrize(("fragment", "line"), HOSTILE, ids=[line[:20] for _, line in HOSTILE])
def test_a_hostile_link_shows_a_line_and_the_defaults(page, dashboard, fragment, line):
    page.goto(f"{dashboard.address}/#{fragment}")
    told = page.locator(".hotmem-error:visible")
    told.wait_for()
    expect(told).to_contain_text(line)
    assert len(told.inner_text()) < 300
    stage = shown(page, 0)
    assert page.evaluate("[window.hotmemRan, location.hash.length > 5]") == [None, True]
    before = page.evaluate("location.hash")
    stage.focus()
    page.keyboard.press("ArrowRight")
    name = "hot_remove" if "hot_remove" in fragment else "exhaustion"
    address_becomes(page, f"scenario={name}&seed=7&tick=1")
    assert before != page.evaluate("location.hash")


def test_the_copied_link_opens_what_is_on_show(page, dashboard):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{dashboard.address}/#{LINK}")
    page.locator(f"{ON_SHOW} .hotmem-title", has_text="Hot-remove").wait_for()
    stage = shown(page, 14)
    stage.focus()
    page.keyboard.press("c")
    expect(stage.locator(".hotmem-toast")).to_contain_text("Link copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{dashboard.address}/#{LINK}"


# --- the exported page ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def recording():
    """A run that is not the default one."""
    return hotmem_viz.run("hot_remove", obstacle="pin")


@pytest.fixture
def address(page, recording, tmp_path):
    """The address of the exported page, with the network off."""
    path = tmp_path / "lesson.html"
    recording.to_html(path)
    page.context.set_offline(True)
    return path.as_uri()


def test_an_exported_page_goes_to_the_tick_and_the_theme(page, address, recording):
    page.goto(f"{address}#{write_link(recording, 11, 'dark')}")
    stage = StagePage(page).wait_until_ready()
    assert (stage.tick, stage.data("theme"), stage.is_playing) == (11, "dark", False)
    page.goto(f"{address}#tick=5")
    stage.wait_for("tick", "5")
    stage.wait_for("theme", "light")
    address_becomes(page, write_link(recording, 5))
    stage.focus()
    stage.press("End")
    address_becomes(page, write_link(recording, recording.n_ticks - 1))
    stage.press("t")
    address_becomes(page, write_link(recording, recording.n_ticks - 1, "light"))


@pytest.mark.parametrize(
    ("fragment", "line"),
    [
        ("scenario=starvation&tick=3&theme=dark", "another run: here, scenario is 'hot_remove'"),
        ("scenario=hot_remove&tick=3&theme=dark", "obstacle is 'pin', not 'nothing'"),
        (f"obstacle={SCRIPT}", f"another run: here, obstacle is 'pin', not '{SCRIPT}'"),
        ("tick=9999", "tick: '9999' is not allowed; a whole number from 0 to "),
        ("tick=3&tick=4", "tick: '4' is not allowed; a link gives each name once"),
        ("x" * 1_000_000, "a link has at most 4,096 characters"),
    ],
    ids=lambda text: text[:20],
)
def test_an_exported_page_says_what_is_wrong_with_a_link(page, address, recording, fragment, line):
    page.goto(f"{address}#{fragment}")
    stage = StagePage(page).wait_until_ready()
    told = stage.root.locator(".hotmem-notice:visible")
    expect(told).to_have_count(1)
    expect(told).to_contain_text(line)
    assert (stage.tick, stage.data("theme")) == (0, "light")
    assert page.evaluate("[window.hotmemRan, location.hash.length > 5]") == [None, True]
    stage.focus()
    stage.press("Escape")
    expect(told).to_have_count(0)
    stage.press("ArrowRight")
    address_becomes(page, write_link(recording, 1))


@pytest.mark.parametrize("clipboard", [True, False])
def test_an_exported_page_copies_its_link(page, address, recording, clipboard):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    if not clipboard:
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.goto(f"{address}#tick=4")
    stage = StagePage(page).wait_until_ready()
    page.evaluate("window.hotmemCopied = ''")
    page.evaluate(
        "document.addEventListener('copy', () => {"
        " window.hotmemCopied = document.activeElement.value ?? ''; })"
    )
    page.get_by_role("button", name="Copy link (c)").click()
    toast = stage.root.locator(".hotmem-toast")
    wanted = f"{address}#{write_link(recording, 4)}"
    expect(toast).to_have_text(f"Link copied: {wanted}")
    read = "navigator.clipboard.readText()" if clipboard else "window.hotmemCopied"
    assert page.evaluate(read) == wanted


# --- a notebook ----------------------------------------------------------------------------


OPEN_AND_RUN = """async (source) => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = await app.commands.execute('notebook:create-new', {kernelName: 'python3'});
  await panel.context.ready;
  await panel.sessionContext.ready;
  panel.content.activeCell.model.sharedModel.setSource(source);
  await app.commands.execute('notebook:run-all-cells');
}"""


def test_a_notebook_takes_a_state_and_its_address_stays_jupyterlab_s(page, lab):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(lab.address + "/lab?reset")
    page.wait_for_function("() => window.jupyterapp !== undefined")
    source = f"import hotmem_viz\nhotmem_viz.app('hot_remove', state='#{LINK}')"
    page.evaluate(OPEN_AND_RUN, source)
    stage = StagePage(page).wait_until_ready()
    assert (stage.tick, stage.data("theme")) == (14, "dark")
    stage.canvas.scroll_into_view_if_needed()
    before = page.evaluate("location.href")
    stage.focus()
    stage.press("Escape")
    stage.press("ArrowRight")
    stage.wait_for("tick", "15")
    stage.press("c")
    expect(stage.root.locator(".hotmem-toast")).to_contain_text("State copied: scenario=hot_remove")
    assert page.evaluate("navigator.clipboard.readText()") == LINK.replace("tick=14", "tick=15")
    expect(stage.root.locator(".hotmem-toast")).to_be_hidden(timeout=15_000)
    assert page.evaluate("location.href") == before
