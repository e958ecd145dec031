"""Speed and memory of `reelmend restore`, end to end, on synthesised film.

    python -m benchmarks.speed

Film: a stretch of the bundled clip, scaled, the camera panned, with grain and one-frame damage; longer films play the
stretch to and fro. Decoding, detecting, repairing, regraining and encoding to FFV1 are all in the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from reelmend.film import Colour, Frame, Layout, ReelFacts
from reelmend.media import open_reel, open_writer
from reelmend.simulate.damage import damage_frame
from reelmend.simulate.grain import grain_frame, grain_of
from reelmend.simulate.pool import PoolRecipe, draw, sample_defects
from reelmend.simulate.procedural import sample_outlines
from reelmend.simulate.sample import BUNDLED

GAUGE = "35mm"
STRETCH = 50
"""Different frames in a film; what is longer repeats them backwards and forwards."""

ZOOM = 1.25
"""The clip is shown this much larger than the frame, so that there is picture to pan over."""

PAN = 1.2
"""Pan a frame, thousandths of the width: 0.8 pixels of 640."""


@dataclass(frozen=True, slots=True)
class Case:
    """One film to restore."""

    name: str
    width: int
    height: int
    frames: int
    bits: int = 8

    @property
    def layout(self) -> Layout:
        return Layout("yuv", self.bits, sub_x=1, sub_y=1)


CASES = (
    Case("640x360 8-bit", 640, 360, 240),
    Case("1920x1080 8-bit, 50 frames", 1920, 1080, 50),
    Case("1920x1080 8-bit, 500 frames", 1920, 1080, 500),
    Case("3840x2160 16-bit, 50 frames", 3840, 2160, 50, bits=16),
)


def pictures(case: Case, source: Path) -> Iterator[Frame]:
    """The clean stretch at the case's size and depth."""
    with open_reel(source) as reel:
        for frame in reel.frames(0, STRETCH):
            planes = []
            for index, plane in enumerate(frame.planes):
                rows, columns = case.layout.plane_shape(index, case.height, case.width)
                zoom = ZOOM * columns / plane.shape[1]
                left, top = PAN / 1000 * frame.index * columns, (ZOOM - 1) / 2 * rows
                move = np.array([[zoom, 0, -left], [0, zoom, -top]])
                codes = plane.astype(np.float32) * (1 << (case.bits - 8))
                moved = cv2.warpAffine(codes, move, (columns, rows), flags=cv2.INTER_LINEAR)
                planes.append(np.rint(moved).astype(case.layout.dtype))
            yield Frame(frame.index, tuple(planes), case.layout, pts=frame.index, duration=1)


def damaged(case: Case, source: Path) -> Iterator[Frame]:
    """The stretch with grain and damage, from a fixed seed."""
    rng = np.random.default_rng(case.width)
    shapes = sample_outlines(rng, 400)
    recipe = PoolRecipe(gauge=GAUGE)
    for frame in pictures(case, source):
        grainy = grain_frame(frame, grain_of(GAUGE, case.width), rng)
        defects = sample_defects(rng, shapes, case.height, case.width, recipe)
        yield damage_frame(grainy, draw(defects, case.height, case.width))


def to_and_fro(stretch: int, frames: int) -> list[int]:
    """`0 1 2 ... n-1 n-2 ... 1 0 1 ...`: no frame beside its like."""
    period = [*range(stretch), *range(stretch - 2, 0, -1)]
    return [period[index % len(period)] for index in range(frames)]


def build(case: Case, folder: Path, source: Path) -> Path:
    """The case's film in a folder; kept from run to run."""
    target = folder / f"{case.width}x{case.height}-{case.bits}bit-{case.frames}.mkv"
    if target.exists():
        return target
    if case.frames == STRETCH:
        _write(target, case, damaged(case, source))
        return target
    stretch = build(replace(case, frames=STRETCH), folder, source)
    with open_reel(stretch) as reel:
        frames = list(reel.frames())
    _write(target, case, (frames[index] for index in to_and_fro(STRETCH, case.frames)))
    return target


def _write(target: Path, case: Case, frames: Iterable[Frame]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    facts = ReelFacts(
        path=target,
        kind="container",
        format="matroska",
        codec="ffv1",
        pixel_format="yuv420p" if case.bits == 8 else f"yuv420p{case.bits}le",
        layout=case.layout,
        width=case.width,
        height=case.height,
        rate=Fraction(24),
        time_base=Fraction(1, 24),
        frames=case.frames,
        colour=Colour("bt709", "bt709", "bt709", "limited"),
    )
    with (
        tempfile.TemporaryDirectory(dir=target.parent) as work,
        open_writer(target, facts, source=None, work=Path(work) / "work") as writer,
    ):
        for index, frame in enumerate(frames):
            writer.write(replace(frame, index=index, pts=index, duration=1))
        writer.finish()


_RUN = "import json, sys, reelmend; print(json.dumps(reelmend.restore(sys.argv[1], sys.argv[2]).seconds))"

_WITHOUT_OPENVINO = "import sys; sys.modules['openvino'] = None; "
"""As where it is not installed."""


def restore(film: Path, frames: int, openvino: bool = True) -> dict[str, Any]:
    """One run of `reelmend restore` in a process of its own: seconds, frames a second, peak memory, stages.

    `seconds` is the whole process, its start included; `frames_per_second` comes from it. `openvino`: networks may
    run on it, where it is installed.
    """
    with tempfile.TemporaryDirectory(dir=film.parent) as scratch:
        # No report: its pictures are no part of decode, detect, repair, regrain and encode.
        program = _RUN if openvino else _WITHOUT_OPENVINO + _RUN
        words = [sys.executable, "-c", program, str(film), str(Path(scratch) / "restored.mkv")]
        begun = time.perf_counter()
        with tempfile.TemporaryFile() as said:
            child = subprocess.Popen(words, stdout=said, stderr=said)
            # wait4, for only it tells the peak memory of this child alone.
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.perf_counter() - begun
            said.seek(0)
            words_said = said.read().decode(errors="replace")
            if child.returncode:
                raise RuntimeError(f"reelmend restore failed: {words_said[-2000:]}")
            stages = json.loads(words_said.splitlines()[-1])
    # Linux counts in KiB, macOS in bytes.
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "seconds": round(seconds, 2),
        "frames_per_second": round(frames / seconds, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_bytes": peak,
        "stages": stages,
    }


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def use_cores(number: int) -> None:
    """Keep this process and those it starts to so many cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:number])


def measure_speed(out: Path, cases: Sequence[Case], source: Path = BUNDLED, openvino: bool = True) -> dict[str, Any]:
    """Build the films that are missing, restore each, print a line each; the figures by case. `openvino` as in
    `restore`."""
    result: dict[str, Any] = {}
    print(f"on {cores()} cores; load before: {os.getloadavg()[0]:.1f}")
    print(f"{'':30} {'frames/s':>9} {'seconds':>8} {'CPU s':>8} {'peak MB':>8}   seconds by stage, all threads")
    for case in cases:
        figures = restore(build(case, out / "speed", source), case.frames, openvino)
        result[case.name] = asdict(case) | figures
        stages = "  ".join(f"{name} {seconds:.1f}" for name, seconds in figures["stages"].items())
        print(
            f"{case.name:30} {figures['frames_per_second']:9.2f} {figures['seconds']:8.1f} "
            f"{figures['cpu_seconds']:8.1f} {figures['peak_bytes'] / 1e6:8.0f}   {stages}",
            flush=True,
        )
    return {"cores": cores(), "cases": result}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cores", type=int, default=2, help="processor cores to use (Linux)")
    parser.add_argument("--cases", nargs="*", help="only the films whose names begin so")
    parser.add_argument("--without-openvino", action="store_true", help="networks run on ONNX Runtime, as installed")


def chosen(names: Sequence[str] | None) -> list[Case]:
    return [case for case in CASES if not names or any(case.name.startswith(name) for name in names)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure speed and memory.")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    add_arguments(parser)
    options = parser.parse_args()
    use_cores(options.cores)
    result = measure_speed(options.out, chosen(options.cases), openvino=not options.without_openvino)
    target = options.out / "speed.json"
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(target)


if __name__ == "__main__":
    main()
