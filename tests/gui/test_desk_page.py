"""The desk's page in a real browser: what a person does at it, from opening a reel to the rendered film."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelmend.edits import read_edits

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
