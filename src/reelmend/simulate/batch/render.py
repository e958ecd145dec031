"""Draws the atlas of a recipe: every kind of damage at every step of a ladder of scan scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from reelmend.simulate.batch.atlas import SIDE, Atlas, Collector, Pixels, Step
from reelmend.simulate.batch.keep import kept, key_of
from reelmend.simulate.defect import Cover, Defect, Ink, Pose
from reelmend.simulate.kinds import KINDS
from reelmend.simulate.kinds.line_scratch import on_gauge
from reelmend.simulate.kinds.promise import Kind
from reelmend.simulate.life import ALONG_FILM, pose_at
from reelmend.simulate.optics import FAINTEST, expose, focused
from reelmend.simulate.outlines import GAUGE_HEIGHT, GAUGE_WIDTH
from reelmend.simulate.recipe import FITTED, Entry, Recipe
from reelmend.simulate.statistics import Statistics

STEPS = 10
"""Scan scales that are drawn, at least; as many for each of a recipe's gauges."""

ROOM = Path(__file__).parents[1]
"""The simulator's folder."""

AFAR = 8
"""Times smaller is a shape drawn to see how large it is."""

LEAST = 4
"""Members of a pool, whatever their size."""

BUDGET = 2_000_000
"""Pixels that may be drawn for a pool once it has that many."""

TRIES = 40
"""Draws of a spanning shape, at most, for each one that the square sees."""

UNSEEN = 1e-4
"""An opacity that no sample shows."""

FAR = 1 << 15
"""Pixels from the canvas's edge at which shapes that do not span are drawn, so that no edge cuts them."""


def ladder(recipe: Recipe, steps: int = STEPS) -> tuple[Step, ...]:
    """The scan scales of a recipe: its gauges in turn, at widths evenly spaced in logarithm and different for each."""
    count = len(recipe.gauge)
    each = -(-max(steps, count) // count)
    low, high = np.log(recipe.scan_width)
    share = (np.arange(each) + (np.arange(count)[:, None] + 0.5) / count) / each
    widths = np.exp(low + (high - low) * share)
    return tuple(
        Step(
            gauge,
            int(width),
            round(width * GAUGE_HEIGHT[gauge] / GAUGE_WIDTH[gauge]),
            GAUGE_WIDTH[gauge] / int(width),
        )
        for gauge, row in zip(recipe.gauge, widths.tolist(), strict=True)
        for width in row
    )


def render(
    recipe: Recipe,
    statistics: Statistics,
    steps: Sequence[Step],
    seed: int,
    *,
    members: int,
    frames: int,
    cache: Path | None = None,
) -> Atlas:
    """The atlas of a recipe: at most `members` a pool; kinds that span the frame are drawn at `frames` ages.

    With `cache`, a folder, the atlas is kept there and read again for the same arguments. Raises KeyError for a kind
    that nobody knows.
    """
    numbers = (tuple(steps), seed, members, frames, SIDE, LEAST, BUDGET)
    own = [ROOM / name for name in ("optics.py", "raster.py", "life.py", "batch/render.py", "batch/atlas.py")]
    key = key_of(
        (recipe.damage, recipe.smallest, statistics.as_json(), *numbers), (*sorted(ROOM.glob("kinds/*.py")), *own)
    )
    return kept(Atlas, cache, key, lambda: _render(recipe, statistics, steps, seed, members, frames))


def _render(
    recipe: Recipe, statistics: Statistics, steps: Sequence[Step], seed: int, members: int, frames: int
) -> Atlas:
    kinds = [KINDS[name] for name in recipe.damage]
    collector = Collector(len(steps), [frames if kind.spans else 1 for kind in kinds], [kind.spans for kind in kinds])
    for place, step in enumerate(steps):
        for number, (kind, entry) in enumerate(zip(kinds, recipe.damage.values(), strict=True)):
            rng = np.random.default_rng([seed, place, number])
            drawer = _Drawer(kind, entry, recipe, statistics, step, frames, collector)
            collector.begin(place, number)
            seen = drawer.spanning(rng, members) if kind.spans else drawer.lying(rng, members)
            collector.end(place, number, seen)
    return collector.atlas()


class _Drawer:
    """Draws the members of one pool."""

    def __init__(
        self,
        kind: Kind,
        entry: Entry,
        recipe: Recipe,
        statistics: Statistics,
        step: Step,
        frames: int,
        collector: Collector,
    ) -> None:
        self._kind, self._entry, self._recipe, self._statistics = kind, entry, recipe, statistics
        self._step, self._frames, self._collector = step, frames, collector

    def lying(self, rng: np.random.Generator, members: int) -> float:
        """Shapes that lie anywhere; origin of each is the pixel that holds its own origin."""
        spent, along = 0, self._kind.name in ALONG_FILM
        for drawn in range(members):
            if drawn >= LEAST and spent > BUDGET:
                break
            shape = self._kind.sample(rng, self._statistics)
            pose = Pose(
                x=FAR + rng.uniform(),
                y=FAR + rng.uniform(),
                scale=max(1 / self._step.micrometres, self._recipe.smallest / _extent(shape)),
                angle=0.0 if along else float(rng.uniform(0, 2 * np.pi)),
            )
            spent += self._add(rng, shape, pose)
        return 1.0

    def _add(self, rng: np.random.Generator, shape: Any, pose: Pose) -> int:
        """One member; returns the pixels of its box."""
        ink = self._ink(rng)
        if self._kind.name in FITTED:
            ink = focused(ink, pose.scale)
        # A look from afar tells how large it is: large shapes are costly to draw whole.
        afar = self._kind.draw(shape, replace(pose, scale=pose.scale / AFAR), (2 * FAR, 2 * FAR))
        rows, columns = (size * AFAR for size in afar.coverage.shape)
        if max(rows, columns) <= SIDE:
            cover = self._kind.draw(shape, pose, (2 * FAR, 2 * FAR))
            body, edge = _patches(Cover(cover.coverage, cover.top - FAR, cover.left - FAR), ink, False)
            if len(body.dy):
                self._collector.add([body], [edge])
            return cover.coverage.size
        # The square lies anywhere in which it touches the shape's box.
        box = (afar.top - FAR) * AFAR, (afar.left - FAR) * AFAR
        down, across = (
            box[0] + int(rng.integers(-SIDE + 1, rows)),
            box[1] + int(rng.integers(-SIDE + 1, columns)),
        )
        inside = replace(pose, x=pose.x - FAR - across, y=pose.y - FAR - down)
        body, edge = _patches(self._kind.draw(shape, inside, (SIDE, SIDE)), ink, True)
        self._collector.add([body], [edge], (rows, columns))
        return int(rows * columns)

    def spanning(self, rng: np.random.Generator, members: int) -> float:
        """Shapes bound to the frame: the square lies anywhere in the frame, and what it does not see is left out.

        Returns the share of shapes that it saw.
        """
        step = self._step
        seen = tried = 0
        # A spanning shape is mostly empty: a frame of it costs about what a patch of a thirtieth of the frame does.
        each = step.height * step.width * self._frames // 32
        while tried < TRIES * members and seen < members and (seen < LEAST or tried * each < BUDGET):
            tried += 1
            shape = on_gauge(self._kind.sample(rng, self._statistics), step.gauge)
            top = int(rng.integers(min(0, step.height - SIDE), max(0, step.height - SIDE) + 1))
            left = int(rng.integers(min(0, step.width - SIDE), max(0, step.width - SIDE) + 1))
            pose = Pose(
                x=rng.uniform(0, step.width), y=rng.uniform(0, step.height), scale=1 / step.micrometres, angle=0.0
            )
            # Somewhere in a life, but for what lives no longer than the frames that are drawn.
            first = int(rng.integers(0, max(1, self._entry.frames[1] - self._frames + 1)))
            ink = self._ink(rng)
            defect = Defect("", shape, pose, ink, wobble=float(rng.uniform(*self._entry.wobble)))
            bodies, rims = [], []
            for age in range(self._frames):
                moved = pose_at(defect, first + age)
                cover = self._kind.draw(shape, moved, (step.height, step.width), first + age)
                body, edge = _patches(Cover(cover.coverage, cover.top - top, cover.left - left), ink, True)
                bodies.append(body)
                rims.append(edge)
            if any(len(body.dy) for body in bodies):
                seen += 1
                self._collector.add(bodies, rims, (step.height, step.width))
        return seen / max(tried, 1)

    def _ink(self, rng: np.random.Generator) -> Ink:
        """Fully opaque; how strong a defect is is decided when it is laid."""
        entry = self._entry
        return Ink(
            polarity="bright",
            opacity=1.0,
            white=1.0,
            softness=float(rng.uniform(*entry.softness)),
            mottle=float(rng.uniform(*entry.mottle)),
            halo=float(entry.halo[1] > 0),
            seed=int(rng.integers(2**31)),
        )


def _patches(cover: Cover, ink: Ink, cut: bool) -> tuple[Pixels, Pixels | None]:
    """The soft body and, for an ink with a halo, the rim; of what a square of `SIDE` sees if cut."""
    if cover.coverage.size == 0:
        nothing = Pixels.of(np.zeros((0, 0), dtype=np.float32), 0, 0, 0)
        return nothing, None
    # `expose` cuts to a frame: the square itself, or a frame around the whole shape.
    margin = 0 if cut else 32
    top, left = (0, 0) if cut else (cover.top - margin, cover.left - margin)
    rows, columns = (SIDE, SIDE) if cut else (size + 2 * margin for size in cover.coverage.shape)
    moved = Cover(cover.coverage, cover.top - top, cover.left - left)
    patch = expose(moved, replace(ink, halo=0.0), rows, columns)
    body = Pixels.of(patch.alpha, patch.top + top, patch.left + left, FAINTEST)
    if ink.halo == 0:
        return body, None
    # A body too faint to be drawn leaves the rim alone: what is drawn is `halo * opacity` of the other polarity.
    light = expose(moved, replace(ink, polarity="dark", opacity=UNSEEN, halo=1 / UNSEEN, mottle=0.0), rows, columns)
    return body, Pixels.of(light.alpha, light.top + top, light.left + left, FAINTEST)


def _extent(shape: Any) -> float:
    """The larger side of a shape in micrometres, where it tells; others are never too small to see."""
    extent = getattr(shape, "extent", None)
    return float("inf") if extent is None else float(max(extent))
