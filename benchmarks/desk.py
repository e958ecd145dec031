"""The desk in a real browser: how soon pictures are there, what memory its server takes, and its portrait.

    python -m benchmarks.desk [--bench build/bench] [--picture docs/pictures/desk.jpg] [--frames 2000]

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

SHOWN = """frame => new Promise(done => {
  const viewer = document.getElementById('viewer'), begun = performance.now();
  const look = () => viewer.painted === frame ? done(performance.now() - begun) : requestAnimationFrame(look);
  viewer.go(frame); look();
})"""
"""From asking for a frame to its picture on the canvas, milliseconds."""


FOUND = "document.getElementById('found').textContent.includes('frames looked at')"
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
            "fresh": statistics.median(fresh),
            "fresh95": float(np.quantile(fresh, 0.95)),
            "held": statistics.median(held),
            "early": early,
            "late": memory(server),
        }
    finally:
        server.kill()
        server.wait()


def portrait(page: Page, source: Path, project: Path, target: Path) -> None:
    """The desk at work: the worst frame of the clip, found and half repaired."""
    server, address = serve(source, project)
    try:
        arrive(page, address)
        page.click("#search")
        page.wait_for_function(
            "document.getElementById('found').textContent.includes('frames looked at')", timeout=600_000
        )
        page.click("#worst button")
        page.click("[data-compare=wipe]")
        page.wait_for_function(
            "document.querySelector('.viewer-note').textContent.startsWith('repaired')", timeout=60_000
        )
        page.wait_for_timeout(1500)
        png = target.with_suffix(".png")
        page.screenshot(path=str(png))
        cv2.imwrite(str(target), cv2.imread(str(png)), [cv2.IMWRITE_JPEG_QUALITY, 85])
        png.unlink()
    finally:
        server.kill()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, default=Path("build/bench"))
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--only-picture", action="store_true")
    options = parser.parse_args()
    clip = options.bench / "test" / CLIP / "damaged.mkv"
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        if not options.only_picture:
            print("| film | first picture, s | next frame, ms (95 %) | again, ms | server, MB | after more, MB |")
            print("| --- | --- | --- | --- | --- | --- |")
            for width, height in SIZES:
                source = film(folder / f"{height}.mkv", clip, (width, height))
                one = measure(page, source, folder / f"project{height}", options.frames)
                print(
                    f"| {width}x{height} | {one['first']:.1f} | {one['fresh']:.0f} ({one['fresh95']:.0f}) "
                    f"| {one['held']:.0f} | {one['early']:.0f} | {one['late']:.0f} |",
                    flush=True,
                )
        if options.picture:
            portrait(page, clip, folder / "portrait", options.picture)
        browser.close()


if __name__ == "__main__":
    main()
