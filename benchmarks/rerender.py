"""How long a render takes when little has changed, and repair where little is damaged, on synthesised film.

    python -m benchmarks.rerender [--frames 200] [--repairer auto]

Renders a film of 640 x 480 on the desk, edits one frame, renders again, and exports to another container; then
`reelmend repair` with masks on every frame, every tenth and one alone. Decoding, and encoding to FFV1, are in
the figures.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.speed import Case, build, cores
from reelmend import repair
from reelmend.desk.desk import Desk
from reelmend.desk.files import Roots
from reelmend.desk.project import Project
from reelmend.edits import Stroke
from reelmend.simulate.sample import BUNDLED


def timed(name: str, work: Callable[[], Any]) -> None:
    begun = time.perf_counter()
    told = work()
    print(f"{name:44} {time.perf_counter() - begun:7.1f} s   {told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rerender", description=__doc__)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--repairer", default="auto")
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    options = parser.parse_args()
    film = build(Case("640x480", 640, 480, options.frames), options.out / "speed", BUNDLED).absolute()
    print(f"{options.frames} frames, repairer {options.repairer}, {cores()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(dir=options.out) as folder:
        masks = on_the_desk(film, Path(folder), options)
        for every in (1, 10, options.frames):
            some = Path(folder) / f"every{every}"
            some.mkdir()
            for n in range(options.frames // 2 % every, options.frames, every):
                shutil.copy(masks / f"mask_{n:06d}.png", some)
            place = Path(folder) / f"every{every}.mkv"
            timed(
                f"reelmend repair, masks on {len(list(some.iterdir()))} frames",
                lambda some=some, place=place: repair(film, some, place, repairer=options.repairer).seconds,
            )


def on_the_desk(film: Path, folder: Path, options: argparse.Namespace) -> Path:
    """The renders of a day; the masks that were found."""
    desk = Desk(Project(folder / "project", Roots([film.parent])))
    name = desk.project.add(film).id
    reel = desk.reel(name)
    reel.entry.set_options(repairer=options.repairer, detector=options.detector)

    def done(task: Any) -> str:
        desk.queue.wait(3600)
        return f"{task.state} {task.said}, {task.repaired} frames repaired of {task.done}"

    timed("search", lambda: done(desk.search(name)))
    records = reel.findings.records
    print(f"{sum(one.damaged > 0 for one in records)} frames damaged, {sum(one.blobs for one in records)} blobs")
    timed("first render", lambda: done(desk.render(name, "one.mkv")))
    reel.do(Stroke(frame=options.frames // 2, points=((200, 200),), radius=6))
    timed("render after an edit of one frame", lambda: done(desk.render(name, "one.mkv", overwrite=True)))
    timed("the same, to .mov", lambda: done(desk.render(name, "one.mov")))
    timed("state of all frames for the timeline", reel.render_state().rendered.sum)
    kept = [one.stat().st_size for one in reel.entry.repairs.glob("*.repair")]
    print(f"{len(kept)} kept repairs take {sum(kept) / 1e6:.2f} MB")
    desk.close()
    return reel.entry.masks


if __name__ == "__main__":
    main()
