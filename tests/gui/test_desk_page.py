"""The desk's page in a real browser: what a person does at it, from opening a reel to the rendered film."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from reelmend.edits import Operation, apply, read_edits
from reels import HEIGHT, WIDTH

from .conftest import Server

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


def test_a_reel_from_opening_to_the_rendered_film(page, media: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    expect = sync_api.expect
    server = Server(media, tmp_path / "project")
    try:
        page.goto(server.address)
        expect(page.locator("#empty")).to_be_visible()
        page.click("#open-first")
        page.click("#browse-list button:has-text('scan.mkv')")
        expect(page.locator("button.reel")).to_have_text("scan")
        expect(page.locator("#found")).to_have_text("Nothing was looked for yet.")

        # Frame-accurate by keyboard, number and timeline.
        page.focus("#viewer")
        for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
            page.keyboard.press(key)
        expect(page.locator("#number")).to_have_value("2")
        page.fill("#number", "5")
        page.keyboard.press("Enter")
        assert page.evaluate("document.getElementById('viewer').frame") == 5
        page.focus("#viewer")
        page.keyboard.press("?")
        expect(page.locator("#help")).to_be_visible()
        page.click("#help-close")

        page.select_option("#strength", "gentle")
        page.click("#search")
        expect(page.locator("#found")).to_contain_text("frames looked at")
        expect(page.locator("#worst button").first).to_be_visible()
        page.click("#worst >> button >> nth=0")
        worst = int(page.input_value("#number"))

        # A stroke is an operation in the project; undo takes it back.
        page.click("[data-tool=brush]")
        box = page.locator("#viewer canvas").bounding_box()
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0] + 60, middle[1] + 20, steps=5)
        edits = tmp_path / "project" / "reels" / "scan" / "edits.jsonl"
        with page.expect_response(lambda answer: answer.url.endswith("/edits") and answer.ok):
            page.mouse.up()
        (stroke,) = read_edits(edits).operations
        assert stroke.kind == "stroke" and stroke.frame == worst and len(stroke.points) > 3
        with page.expect_response(lambda answer: answer.url.endswith("/undo") and answer.ok):
            page.click("#undo")
        assert not read_edits(edits)
        with page.expect_response(lambda answer: answer.url.endswith("/redo") and answer.ok):
            page.click("#redo")

        for compare in ("wipe", "beside", "flip", "difference", "off"):
            page.click(f"[data-compare={compare}]")
            expect(page.locator(f"[data-compare={compare}]")).to_have_attribute("aria-pressed", "true")
        page.click("[data-shown=strip]")
        page.click("[data-review=approved]")
        expect(page.locator("[data-review=approved]")).to_have_attribute("aria-pressed", "true")
        page.wait_for_timeout(300)

        # Killed, and started again: everything is there.
        server.kill()
        server = Server(media, tmp_path / "project")
        page.goto(server.address)
        expect(page.locator("#found")).to_contain_text("frames looked at")
        expect(page.locator("#strength")).to_have_value("gentle")
        expect(page.locator("[data-review=approved]")).to_have_attribute("aria-pressed", "true")
        assert len(read_edits(edits).operations) == 1

        page.select_option("#repairer", "temporal")
        page.fill("#film", "../out.mkv")
        page.click("#render")
        expect(page.locator("#said")).to_contain_text("is no file name")
        page.fill("#film", "out.mkv")
        page.click("#render")
        expect(page.locator("#tasks .task").first).to_contain_text("done,")
        renders = tmp_path / "project" / "reels" / "scan" / "renders"
        assert (renders / "out.mkv").exists()
        with page.expect_download() as saved:
            page.click("#renders a:has-text('out.mkv')")
        assert saved.value.path().read_bytes() == (renders / "out.mkv").read_bytes()

        # Nothing has changed: nothing is repaired again, and what goes with the film is written too.
        page.click("#render")
        expect(page.locator("#said")).to_contain_text("out.mkv is there already")
        for also in ("with-masks", "with-origins", "with-report", "replace"):
            page.check(f"#{also}")
        page.click("#render")
        expect(page.locator("#tasks .task").first).to_contain_text(", 0 repaired anew")
        expect(page.locator("#renders a")).to_have_text(
            ["out.masks.mkv", "out.mkv", "out.origins.mkv", "out.report.html"], use_inner_text=True
        )
        with page.expect_download() as saved:
            page.click("#job-file")
        assert 'output = "' in saved.value.path().read_text() and saved.value.suggested_filename == "job.toml"
        assert page.evaluate("document.getElementById('timeline').data.rendered.every(Boolean)")
    finally:
        server.kill()


def drawn_area(stroke: Operation) -> int:
    """Pixels of a stroke, drawn on nothing."""
    return int(apply([stroke], stroke.frames.start, np.zeros((HEIGHT, WIDTH), np.bool_)).sum())


def test_masks_are_edited_by_keyboard_alone(page, media: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    expect = sync_api.expect
    edits = tmp_path / "project" / "reels" / "scan" / "edits.jsonl"

    def edited(key: str) -> Operation:
        """The operation that a key makes."""
        with page.expect_response(lambda answer: "/edits" in answer.url or "/follow/" in answer.url) as told:
            page.keyboard.press(key)
        assert told.value.ok
        return read_edits(edits).operations[-1]

    with Server(media, tmp_path / "project") as server:
        page.goto(server.address)
        page.click("#open-first")
        page.click("#browse-list button:has-text('scan.mkv')")
        expect(page.locator("#found")).to_have_text("Nothing was looked for yet.")
        page.select_option("#strength", "strong")
        page.click("#search")
        expect(page.locator("#found")).to_contain_text("frames looked at")
        page.click("#worst >> button >> nth=0")
        worst = int(page.input_value("#number"))
        page.focus("#viewer")

        # From blob to blob, and what is known of each.
        page.keyboard.press(".")
        expect(page.locator("#asked")).to_have_text(
            re.compile(rf"Frame {worst}: (dust|dirt|hair|scratch), (bright|dark), probability [\d.]+, \d+ pixels, in ")
        )
        page.keyboard.press("x")
        rejected = edited(" ")
        assert rejected.kind == "reject" and rejected.frame == worst
        page.keyboard.press("b")
        page.keyboard.press(" ")
        for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown"):
            page.keyboard.press(key)
        stroke = edited(" ")
        x, y = rejected.at
        assert stroke.kind == "stroke" and stroke.points == ((x, y), (x + 1, y), (x + 2, y), (x + 2, y + 10))
        page.keyboard.press("q")
        page.keyboard.press(" ")
        expect(page.locator("#asked")).to_contain_text(f" {drawn_area(stroke)} pixels, in ")

        # A box in the frames that were asked for, a drawing that is dropped, and the crosshair put away.
        page.fill("#range-first", "1")
        page.fill("#range-last", "3")
        page.focus("#viewer")
        page.keyboard.press("p")
        page.keyboard.press(" ")
        page.keyboard.press("Shift+ArrowUp")
        page.keyboard.press("Shift+ArrowLeft")
        box = edited(" ")
        assert (box.kind, box.first, box.last, box.width, box.height) == ("protect", 1, 3, 10, 10)
        page.keyboard.press(" ")
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#number")).not_to_have_value(str(worst))
        assert len(read_edits(edits).operations) == 3

        # What is drawn beside its neighbours lies where it was drawn.
        page.keyboard.press("s")
        page.keyboard.press("b")
        # The page draws with the screen: before it has, places are those of the frame alone.
        page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        place = page.evaluate(
            """() => {
              const viewer = document.getElementById('viewer'), box = viewer.canvas.getBoundingClientRect();
              const [x, y] = viewer.view.canvas(...viewer.beside(20, 30)), ratio = viewer.canvas.width / box.width;
              return [box.left + x / ratio, box.top + y / ratio];
            }"""
        )
        with page.expect_response(lambda answer: answer.url.endswith("/edits")):
            page.mouse.click(*place)
        (point,) = read_edits(edits).operations[-1].points
        assert point == pytest.approx((20, 30), abs=1.5)

        # Number, shots and review.
        page.keyboard.press("g")
        page.keyboard.type("4")
        page.keyboard.press("Enter")
        expect(page.locator("#number")).to_have_value("4")
        page.focus("#viewer")
        shots = page.evaluate("document.getElementById('timeline').data.shots")
        page.keyboard.press("PageUp")
        expect(page.locator("#number")).to_have_value("0")
        page.keyboard.press("a")
        if len(shots) > 1:
            expect(page.locator("#number")).to_have_value(str(shots[1]))
            page.keyboard.press("PageUp")
        expect(page.locator("[data-review=approved]")).to_have_attribute("aria-pressed", "true")


def test_what_is_looked_for_goes_by_the_options_however_slow_they_are(page, media: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    expect, held = sync_api.expect, []
    with Server(media, tmp_path / "project") as server:
        page.goto(server.address)
        page.click("#open-first")
        page.click("#browse-list button:has-text('scan.mkv')")
        expect(page.locator("#found")).to_have_text("Nothing was looked for yet.")
        page.route("**/options", lambda route: held.append(route))
        page.select_option("#strength", "strong")
        page.click("#search")
        page.wait_for_timeout(500)
        expect(page.locator("#found")).to_have_text("Nothing was looked for yet.")
        held[0].continue_()
        expect(page.locator("#found")).to_contain_text("frames looked at")
