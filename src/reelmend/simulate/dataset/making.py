"""Making the samples of one source: cut, turned into film, damaged, written; in a process of its own if asked to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.errors import ReelMendError
from reelmend.film import Frame
from reelmend.simulate.dataset.cut import Box, Window, develop, windows
from reelmend.simulate.dataset.layout import frame_places, record_path
from reelmend.simulate.dataset.pictures import write_png, write_whole
from reelmend.simulate.dataset.piece import Made, Piece, with_scene
from reelmend.simulate.dataset.plan import Plan, Settings
from reelmend.simulate.dataset.sources import Source
from reelmend.simulate.life import choose_reel
from reelmend.simulate.lookalikes import Scene
from reelmend.simulate.outlines import GAUGE_HEIGHT, GAUGE_WIDTH
from reelmend.simulate.recipe import Recipe

FASTEST = 4.0
"""Pixels a frame at which a photograph pans at most."""


@dataclass(frozen=True, slots=True)
class Task:
    """Samples of one source."""

    out: Path
    source: Source
    plans: tuple[Plan, ...]
    recipe: Recipe
    settings: Settings


def run(task: Task, tick: Callable[[], None] | None = None) -> tuple[int, str | None]:
    """Make and write the samples of a task. The number made, and why the source could not give the others.

    `tick` is called after each. Raises MediaError when the disk refuses, UsageError for a recipe that cannot be used.
    """
    cv2.setNumThreads(1)
    made = 0
    cutting = windows(task.source, task.plans, task.settings.window)
    while True:
        try:
            window = next(cutting, None)
        except (ReelMendError, OSError) as error:
            return made, str(error)
        if window is None:
            return made, None
        _write(task, window)
        made += 1
        if tick is not None:
            tick()


def _write(task: Task, window: Window) -> None:
    settings, plan = task.settings, window.plan
    length, middle = settings.window, settings.window // 2
    view = _View.of(task.recipe, settings, window)
    frames = [view.make(window, at, annotated=at == middle) for at in range(length)]
    centre = frames[middle]
    places = frame_places(plan, settings)
    folder = task.out / plan.split
    write_png(folder / places["file_name"], _stored(centre.damaged, settings.bits))
    write_png(folder / places["mask"], centre.truth.astype(np.uint8) * np.uint8(255))
    if "clean" in places:
        write_png(folder / places["clean"], _stored(centre.clean, settings.bits))
    for offset, name in places.get("neighbours", {}).items():
        write_png(folder / name, _stored(frames[middle + int(offset)].damaged, settings.bits))
    record = {
        "number": plan.number,
        "width": view.piece.box[3],
        "height": view.piece.box[2],
        **places,
        "source": plan.source.name,
        "source_frame": window.frames[min(middle, len(window.frames) - 1)].index,
        "still": window.still,
        "gauge": view.piece.gauge,
        "scan_width": view.piece.size[1],
        "film_seed": plan.seed,
        "damaged": int(centre.truth.sum()),
        "annotations": centre.annotations,
    }
    # The record comes last: a sample is there when its record is.
    write_whole(record_path(task.out, plan), (json.dumps(record) + "\n").encode())


@dataclass(frozen=True, slots=True)
class _View:
    """How the frames of a window are looked at."""

    piece: Piece
    plan: Plan
    picture: tuple[int, int]
    """Height and width of the whole picture at working size."""
    at: tuple[float, float]
    """Top and left of the first frame's box in it."""
    step: tuple[float, float]
    """How far the box moves each frame: photographs pan."""
    scene: Scene
    """Look-alikes of the whole picture."""

    @classmethod
    def of(cls, recipe: Recipe, settings: Settings, window: Window) -> _View:
        plan, source = window.plan, window.plan.source
        factor = settings.factor(source)
        height, width = (max(1, round(side / factor)) for side in (source.height, source.width))
        family = "gray" if source.layout.family == "gray" else "rgb"
        if settings.size is None:
            piece = Piece(recipe, plan.seed, (height, width), (0, 0, height, width), family)
            return cls(piece, plan, (height, width), (0.0, 0.0), (0.0, 0.0), piece.scene((height, width)))
        side = settings.size
        height, width = max(height, side), max(width, side)
        piece = _piece_of_scan(recipe, plan, side, family)
        room = (height - side, width - side)
        still = window.still and settings.window > 1
        step = tuple(
            way * min(FASTEST, free / max(settings.window - 1, 1)) if still else 0.0
            for way, free in zip(plan.pan[::-1], room, strict=True)
        )
        # The way the box goes must lie inside the picture.
        travel = [move * (settings.window - 1) for move in step]
        at = tuple(
            share * (free - abs(way)) + max(-way, 0.0)
            for share, free, way in zip((plan.down, plan.across), room, travel, strict=True)
        )
        scene = piece.scene((height, width))
        return cls(piece, plan, (height, width), (at[0], at[1]), (step[0], step[1]), scene)

    def make(self, window: Window, number: int, annotated: bool) -> Made:
        frame = window.frames[min(number, len(window.frames) - 1)]
        frame = Frame(window.frames[0].index + number, frame.planes, frame.layout)
        _, _, height, width = self.piece.box
        top, left = (round(start + number * step) for start, step in zip(self.at, self.step, strict=True))
        around = self._around(top, left, height, width)
        source = window.plan.source
        if self.scene.amounts:
            whole = develop(frame, source, (0, 0, source.height, source.width), self.picture)
            whole = with_scene(whole, self.scene)
            y, x, rows, columns = around
            piece = whole.with_planes(tuple(plane[y : y + rows, x : x + columns] for plane in whole.planes))
        else:
            piece = develop(frame, source, *_in_source(around, self.picture, source))
        return self.piece.make(piece, (top - around[0], left - around[1], height, width), annotated)

    def _around(self, top: int, left: int, height: int, width: int) -> Box:
        """The box with the margin that weave needs, as far as there is picture."""
        margin = self.piece.margin
        first_row, first_column = max(top - margin, 0), max(left - margin, 0)
        last_row = min(top + height + margin, self.picture[0])
        last_column = min(left + width + margin, self.picture[1])
        return first_row, first_column, last_row - first_row, last_column - first_column


def _piece_of_scan(recipe: Recipe, plan: Plan, side: int, family: str) -> Piece:
    """A square of a scan as wide as the recipe says, anywhere in it."""
    rng = np.random.default_rng([plan.seed, 1])
    gauge = choose_reel(recipe, plan.seed).gauge
    fixed = recipe.model_copy(update={"gauge": (gauge,)})
    low, high = np.log(np.maximum(recipe.scan_width, 1.0))
    width = max(round(float(np.exp(rng.uniform(low, high)))), side)
    height = max(round(width * GAUGE_HEIGHT[gauge] / GAUGE_WIDTH[gauge]), side)
    top, left = (int(rng.integers(room + 1)) for room in (height - side, width - side))
    return Piece(fixed, plan.seed, (height, width), (top, left, side, side), family)


def _in_source(box: Box, picture: tuple[int, int], source: Source) -> tuple[Box, tuple[int, int]]:
    """A box of the picture at working size in whole pixels of the source, and the size that it comes to."""
    down, across = source.height / picture[0], source.width / picture[1]
    top, left = round(box[0] * down), round(box[1] * across)
    bottom = min(round((box[0] + box[2]) * down), source.height)
    right = min(round((box[1] + box[3]) * across), source.width)
    return (top, left, bottom - top, right - left), (box[2], box[3])


def _stored(frame: Frame, bits: int) -> NDArray[Any]:
    stack = np.stack(frame.planes, axis=-1) if len(frame.planes) > 1 else frame.planes[0]
    if bits == 16:
        return stack
    return np.asarray((stack.astype(np.uint32) + 128) // 257, dtype=np.uint8)


def tasks(out: Path, plans: Sequence[Plan], recipe: Recipe, settings: Settings) -> Iterator[Task]:
    """The plans by source, in the order in which the sources first come up."""
    by_source: dict[str, list[Plan]] = {}
    for plan in plans:
        by_source.setdefault(plan.source.name, []).append(plan)
    for own in by_source.values():
        yield Task(out, own[0].source, tuple(own), recipe, settings)
