"""The views beside the viewer, in a real browser; what all of them promise: contrast, keys, nothing that jumps."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from .conftest import Server

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

VIEWS = ("desk", "repairers", "stages", "models", "trial")

CAME = """() => {
  const notes = [...document.querySelectorAll('picture-wall figcaption .quiet')];
  return notes.length > 2 && notes.every(one => one.textContent !== '…');
}"""

FAINT = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const over = (under, [r, g, b, a]) => [r, g, b].map((v, n) => a * v + (1 - a) * under[n]);
  const behind = (one) => {
    const layers = [];
    for (let at = one; at; at = at.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(at).backgroundColor);
      layers.push([r, g, b, a]);
      if (a === 1) break;
    }
    return layers.reverse().reduce(over, [30, 30, 30]);
  };
  const faint = [];
  for (const one of document.querySelectorAll('.desk *')) {
    const own = [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || !one.checkVisibility({visibilityProperty: true}) || one.tagName === 'OPTION') continue;
    const [a, b] = [light(parse(getComputedStyle(one).color)), light(behind(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const told = `${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`;
    if (ratio < 4.5) faint.push(told);
  }
  return faint;
}"""
"""Texts whose contrast is less than WCAG 2.2 AA asks for (success criterion 1.4.3)."""

SHIFTED = """() => new Promise(done => {
  const moved = (list) => list.getEntries().reduce((sum, one) => sum + (one.hadRecentInput ? 0 : one.value), 0);
  new PerformanceObserver(list => done(moved(list))).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(0), 300);
})"""
"""What moved by itself since the page came, as the browser counts it (cumulative layout shift)."""


def test_the_views_of_a_frame_and_of_the_program(page, media: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    expect = sync_api.expect
    with Server(media, tmp_path / "project") as server:
        page.goto(server.address)
        # A film dropped on the page is copied into the project and opened.
        body = base64.b64encode((media / "scan.mkv").read_bytes()).decode()
        given = page.evaluate_handle(
            """async body => {
              const bytes = await (await fetch(`data:application/octet-stream;base64,${body}`)).arrayBuffer();
              const carried = new DataTransfer();
              carried.items.add(new File([bytes], 'dropped reel.mkv'));
              return carried;
            }""",
            body,
        )
        page.dispatch_event(".desk", "drop", {"dataTransfer": given})
        expect(page.locator("button.reel")).to_contain_text("dropped-reel")
        assert len(list((tmp_path / "project" / "uploads").rglob("dropped reel.mkv"))) == 1
        page.wait_for_function("document.getElementById('viewer').painted === 0")
        assert page.evaluate(SHIFTED) < 0.1

        page.select_option("#strength", "strong")
        page.click("#search")
        expect(page.locator("#found")).to_contain_text("frames looked at", timeout=60_000)
        page.locator("#worst button").first.click()
        page.focus("#viewer")
        page.keyboard.press("c")
        expect(page.locator("#legend .mark")).to_have_text(["dust", "dirt", "hair", "scratch", "by hand"])

        # By keyboard alone.
        page.keyboard.press("Alt+2")
        expect(page.locator("[data-view-of=repairers]")).to_have_attribute("aria-current", "page")
        page.wait_for_function(CAME, timeout=60_000)
        titles = page.locator("picture-wall figcaption strong").all_inner_texts()
        assert titles[0] == "scan" and {"temporal", "spatial"} <= set(titles)
        page.locator("picture-wall figure", has=page.get_by_text("spatial", exact=True)).get_by_text("Use").click()
        expect(page.locator("#repairer")).to_have_value("spatial")
        expect(page.get_by_text("spatial (chosen)")).to_be_visible()
        before = page.input_value("#number")
        page.focus("#wall")
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#number")).to_have_value(str(int(before) - 1))
        page.keyboard.press("8")

        page.keyboard.press("Alt+3")
        expect(page.get_by_text("mask, grown")).to_be_visible()
        page.wait_for_function(CAME, timeout=60_000)
        titles = page.locator("picture-wall figcaption strong").all_inner_texts()
        assert titles[0] == "source" and titles[-2:] == ["result", "changed"] and "damage map" in titles
        assert all("neighbour" not in one or "moved" in one for one in titles)

        page.keyboard.press("Alt+4")
        expect(page.locator("#models .card h3").first).to_have_text("fast")
        expect(page.locator("#models")).to_contain_text("Measured")

        # What is typed and asked for while the list of recipes is still under way counts.
        held: list[sync_api.Route] = []
        hold = [held.append]
        page.route("**/api/recipes", lambda route: hold[-1](route))
        page.keyboard.press("Alt+5")
        expect(page.locator("#trial-empty")).to_be_visible()
        page.fill("#trial-frames", "3")
        page.fill("#trial-start", "1")
        page.click("#trial-go")
        for _ in range(500):
            if held:
                break
            page.wait_for_timeout(20)
        assert held
        hold.append(lambda route: route.continue_())
        for route in held:
            route.continue_()
        expect(page.locator("#trial-told")).to_contain_text("3 frames from 1", timeout=60_000)
        expect(page.locator("#trial-bars .bar")).to_have_count(3)
        page.wait_for_function("document.getElementById('trial-picture').naturalWidth > 0")
        expect(page.locator("#trial-scores")).to_contain_text("Dice")
        page.keyboard.press("Alt+1")
        expect(page.locator("[data-view-of=desk]")).to_have_attribute("aria-current", "page")


def test_every_text_is_readable(page, media: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with Server(media, tmp_path / "project") as server:
        page.goto(server.address)
        page.wait_for_selector("#empty:not([hidden])")
        assert page.evaluate(FAINT) == []
        page.evaluate("document.querySelector('#empty div').style.color = '#666'")
        assert len(page.evaluate(FAINT)) == 1, "the check sees what is faint"
        page.evaluate("document.querySelector('#empty div').style.color = ''")
        page.click("#open-first")
        page.click("#browse-list button:has-text('scan.mkv')")
        page.wait_for_function("document.getElementById('viewer').painted === 0")
        for view in VIEWS:
            page.click(f"[data-view-of={view}]")
            page.wait_for_timeout(100)
            assert page.evaluate(FAINT) == [], view
        page.click("#help-open")
        assert page.evaluate(FAINT) == []
        page.click("#help-close")
        # A mistake is a sentence, and as readable.
        page.click("[data-view-of=desk]")
        page.fill("#film", "../x")
        page.click("#render")
        sync_api.expect(page.locator("#said")).to_contain_text("is no file name")
        assert page.evaluate(FAINT) == []


SMALLEST_TEXT = """() => Math.min(...[...document.querySelectorAll('.desk *')]
  .filter(one => one.checkVisibility())
  .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()))
  .map(one => parseFloat(getComputedStyle(one).fontSize)))"""

CUT_OFF = """() => [...document.querySelectorAll('.desk-head, .desk-reels, .desk-transport, .desk-panel, .desk-page')]
  .filter(one => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1).map(one => one.className)"""


@pytest.mark.parametrize(("size", "text"), [((1280, 720), 12), ((3840, 2160), 20)])
def test_the_page_fits_small_and_large_screens(
    page, media: Path, tmp_path: Path, size: tuple[int, int], text: int
) -> None:  # type: ignore[no-untyped-def]
    page.set_viewport_size({"width": size[0], "height": size[1]})
    with Server(media, tmp_path / "project") as server:
        page.goto(server.address)
        page.click("#open-first")
        page.click("#browse-list button:has-text('scan.mkv')")
        page.wait_for_function("document.getElementById('viewer').painted === 0")
        for view in VIEWS:
            page.click(f"[data-view-of={view}]")
            page.wait_for_timeout(100)
            assert page.evaluate(SMALLEST_TEXT) >= text, view
            assert page.evaluate(CUT_OFF) == [], view
