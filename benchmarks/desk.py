"""The desk in a real browser: how soon pictures are there, what memory its server takes, and its portraits.

    python -m benchmarks.desk [--bench build/bench] [--frames 2000] [--pictures docs/pictures [--only-pictures]]

Makes films of 640x480 and 1920x1080 from an evaluation clip, starts `reelmend gui` on each, and measures from the start
of the command to the first picture, from a key to the frame's own picture on the canvas (each frame for the first time
at 24 frames a second of key presses, and again when it is held), and the server's memory over many frames. Needs
Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.video import from_rgb, read_rgb, write_ffv1

CLIP = "03_blocks"
SIZES = ((640, 480), (1920, 1080))
LENGTH = 240

COLUMNS = (
    "film",
    "first picture after the command, s",
    "after loading the page again, s",
    "next frame, ms (95 %)",
    "again, ms",
    "server, MB",
    "after more, MB",
)

SHOWN = """frame => new Promise(done => {
  const viewer = document.getElementById('viewer'), begun = performance.now();
  const look = () => viewer.painted === frame ? done(performance.now() - begun) : requestAnimationFrame(look);
  viewer.go(frame); look();
})"""
"""From asking for a frame to its picture on the canvas, milliseconds."""


FOUND = "document.getElementById('found').textContent.includes('frames looked at')"
ALL_CAME = """() => {
  const notes = [...document.querySelectorAll('picture-wall figcaption .quiet')];
  return notes.length > 2 && notes.every(one => one.textContent !== '…');
}"""
REPAIRED = "document.querySelector('.viewer-note').textContent.startsWith('repaired')"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def film(target: Path, source: Path, size: tuple[int, int]) -> Path:
    """A film of `LENGTH` frames, each another one: the clip to and fro, enlarged, and panning."""
    pictures = list(read_rgb(source, 0, 28))
    frames = []
    for n in range(LENGTH):
        at = n % (2 * len(pictures) - 2)
        one = pictures[at if at < len(pictures) else 2 * len(pictures) - 2 - at]
        frames.append(from_rgb(np.roll(cv2.resize(one, size), n, axis=1), "yuv420p"))
    write_ffv1(target, frames, "yuv420p", Fraction(24))
    return target


def memory(process: subprocess.Popen[bytes]) -> float:
    """Resident memory of a process, MB."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def serve(source: Path, project: Path) -> tuple[subprocess.Popen[bytes], str]:
    port = free_port()
    command = [sys.executable, "-m", "reelmend", "gui", str(source), "--project", str(project), "--port", str(port)]
    return subprocess.Popen([*command, "--no-browser"]), f"http://127.0.0.1:{port}/"


def arrive(page: Page, address: str) -> None:
    """Ask until the server answers, then until the first picture is there."""
    while True:
        try:
            page.goto(address)
            break
        except Exception:
            time.sleep(0.05)
    page.wait_for_function("document.getElementById('viewer')?.painted === 0")


def measure(page: Page, source: Path, project: Path, many: int) -> dict[str, Any]:
    begun = time.perf_counter()
    server, address = serve(source, project)
    try:
        arrive(page, address)
        first = time.perf_counter() - begun
        reopened = time.perf_counter()
        page.goto(address)
        page.wait_for_function("document.getElementById('viewer')?.painted === 0")
        again = time.perf_counter() - reopened
        fresh, held = [], []
        for n in range(1, LENGTH):
            fresh.append(page.evaluate(SHOWN, n))
            if n % 8 == 0:
                held += [page.evaluate(SHOWN, m) for m in range(n - 8, n)]
            time.sleep(max(0.0, 1 / 24 - fresh[-1] / 1000))
        early = memory(server)
        rng = np.random.default_rng(0)
        for n in rng.integers(0, LENGTH, many):
            page.evaluate(SHOWN, int(n))
        return {
            "first": first,
            "again": again,
            "fresh": statistics.median(fresh),
            "fresh95": float(np.quantile(fresh, 0.95)),
            "held": statistics.median(held),
            "early": early,
            "late": memory(server),
        }
    finally:
        server.kill()
        server.wait()


def portraits(page: Page, source: Path, project: Path, folder: Path) -> None:
    """The desk at work on the worst frame of a clip, view by view: six pictures `desk*.jpg` in a folder."""
    server, address = serve(source, project)
    try:
        arrive(page, address)
        page.click("#search")
        page.wait_for_function(FOUND, timeout=600_000)
        page.click("#worst button")
        page.click("[data-compare=wipe]")
        page.wait_for_function(REPAIRED, timeout=60_000)
        keep(page, folder / "desk.jpg")
        page.click("[data-compare=off]")
        page.click("[data-shown=strip]")
        page.click("[data-shown=kinds]")
        page.click("[data-shown=mask]")
        # As close as to tell specks from content.
        page.click("[data-zoom='1']")
        keep(page, folder / "desk-neighbours.jpg")
        page.click("[data-zoom='fit']")
        page.click("[data-shown=strip]")
        for view in ("repairers", "stages"):
            page.click("[data-zoom='fit']")
            page.click(f"[data-view-of={view}]")
            page.wait_for_function(ALL_CAME, timeout=120_000)
            if view == "repairers":
                page.click("[data-zoom='1']")
            keep(page, folder / f"desk-{view}.jpg")
        page.click("[data-view-of=models]")
        keep(page, folder / "desk-models.jpg")
        # A trial wants a clean reel: what is damaged already counts as false alarms.
        page.click("#open")
        page.fill("#browse-typed", str(source.with_name("clean.mkv").absolute()))
        page.press("#browse-typed", "Enter")
        page.wait_for_selector("button.reel:has-text('clean')", timeout=30_000)
        page.click("[data-view-of=trial]")
        page.click("#trial-go")
        page.wait_for_selector("#trial-result:not([hidden])", timeout=600_000)
        keep(page, folder / "desk-trial.jpg")
    finally:
        server.kill()
        server.wait()


def keep(page: Page, target: Path) -> None:
    """The page as a JPEG, once it has settled."""
    page.wait_for_timeout(1500)
    page.screenshot(path=str(target), type="jpeg", quality=82)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, default=Path("build/bench"))
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--only-pictures", action="store_true")
    options = parser.parse_args()
    clip = options.bench / "test" / CLIP / "damaged.mkv"
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        if not options.only_pictures:
            print(f"| {' | '.join(COLUMNS)} |")
            print("| --- | --- | --- | --- | --- | --- | --- |")
            for width, height in SIZES:
                source = film(folder / f"{height}.mkv", clip, (width, height))
                one = measure(page, source, folder / f"project{height}", options.frames)
                print(
                    f"| {width}x{height} | {one['first']:.1f} | {one['again']:.1f} "
                    f"| {one['fresh']:.0f} ({one['fresh95']:.0f}) | {one['held']:.0f} "
                    f"| {one['early']:.0f} | {one['late']:.0f} |",
                    flush=True,
                )
        if options.pictures:
            page.set_viewport_size({"width": 1280, "height": 800})
            portraits(page, clip, folder / "portraits", options.pictures)
        browser.close()


if __name__ == "__main__":
    main()
