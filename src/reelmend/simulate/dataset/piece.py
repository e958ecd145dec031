"""A piece of a film: a training crop with the grain, the damage and the unrest of the scan that it is taken from.

The scan exists only as numbers: its damage is sampled, and what reaches into the crop is drawn. So a crop is what one
would get by cutting it out of the whole scan, gate hairs at the frame's edge and scratches down all of it included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reelmend.film import Colour, Frame, Mask
from reelmend.simulate.damage import TRUTH_ALPHA, damage_frame, lay
from reelmend.simulate.dataset.coco import box as box_of
from reelmend.simulate.dataset.coco import segmentation
from reelmend.simulate.dataset.cut import Box
from reelmend.simulate.defect import Cover, Defect
from reelmend.simulate.grain import grain_frame
from reelmend.simulate.kinds import KINDS
from reelmend.simulate.life import Floats, Timeline
from reelmend.simulate.lookalikes import Scene, lay_over
from reelmend.simulate.optics import REACH, RIM, Patch, expose
from reelmend.simulate.picture import fade, move
from reelmend.simulate.planes import BT709, rgb_of
from reelmend.simulate.recipe import Recipe
from reelmend.simulate.simulation import Simulation


@dataclass(frozen=True, slots=True)
class Made:
    """One frame of a piece."""

    damaged: Frame
    clean: Frame
    truth: Mask
    annotations: list[dict[str, Any]]
    """COCO annotations but for their numbers, `kind` in place of `category_id`; together they cover `truth`."""


REACH_UM = {"dust": 300.0, "dirt": 1_000.0, "short hair": 1_500.0, "long hair": 4_000.0, "scratch": 30_000.0}
"""How far from its place a defect of a kind may reach, micrometres. The larger side of the box around it is at most
260, 1140, 1110, 2340 and 21700 on eight annotated scans, and 220, 900, 1130, 3380 and 26700 among 3000 drawn of
each; it reaches half of its diagonal."""


class NearTimeline(Timeline):
    """A timeline without the defects that cannot reach a box of the frame: most of a scan's, for a small box."""

    def __init__(self, recipe: Recipe, seed: int, scan: tuple[int, int], box: Box, slack: float) -> None:
        """`slack` is how far, in pixels, weave may carry a defect from its place."""
        super().__init__(recipe, seed, scan)
        self._box, self._slack = box, slack

    def _places(self, rng: np.random.Generator, name: str) -> Floats:
        found = super()._places(rng, name)
        if name not in REACH_UM:
            return found
        top, left, height, width = self._box
        entry = self.reel.kinds[name].entry
        reach = (REACH_UM[name] + 4 * entry.wobble[1]) * self._scale + self._recipe.smallest + self._slack
        x, y = found[:, 0], found[:, 1]
        near = (x > left - reach) & (x < left + width + reach) & (y > top - reach) & (y < top + height + reach)
        return np.asarray(found[near])


class Piece(Simulation):
    """A box of the frames of a reel of `scan` `(height, width)` pixels. The same arguments give the same pixels."""

    def __init__(self, recipe: Recipe, seed: int, scan: tuple[int, int], box: Box, family: str) -> None:
        """`family` is `gray` or `rgb`: frames are 16 bits, full range. Errors as for `Simulation`."""
        super().__init__(recipe, seed, scan, Colour(range="full"), family)
        self.box = box
        if box != (0, 0, *scan):
            soft = max((entry.softness[1] for entry in recipe.damage.values()), default=0.0)
            slack = self.margin + REACH * float(np.hypot(soft, RIM)) + 2
            self._timeline = NearTimeline(self.recipe, seed, scan, box, slack)

    @property
    def margin(self) -> int:
        """Pixels of the picture that must be known around the box: weave brings them in."""
        return int(np.ceil(4 * self._picture.weave + self._picture.jump * (self._picture.jumps > 0))) + 4

    def scene(self, size: tuple[int, int]) -> Scene:
        """The look-alikes of a whole picture of `size` `(height, width)`, to be laid before the piece is cut out."""
        return Scene(self.recipe, self.seed, size)

    def make(self, frame: Frame, around: Box, annotated: bool = True) -> Made:
        """A clean frame as this piece of film; `frame.index` says which of the reel's it is.

        `around` says where the box lies in `frame`, whose rows and columns beyond it are the picture around.
        """
        top, left, height, width = around
        index = frame.index
        moved = move(frame, self._picture.shift(index), self._picture.gain(index), full_range=True)
        inner = tuple(np.ascontiguousarray(plane[top : top + height, left : left + width]) for plane in moved.planes)
        clean = frame.with_planes(inner)
        if self._grain is not None:
            rng = np.random.default_rng([self.seed, _GRAIN, index])
            clean = grain_frame(clean, self._grain, rng, full_range=True)
        clean = fade(clean, self._picture.fading, full_range=True)
        drawn = list(self._drawn(index))
        damage = lay((patch for _, patch in drawn), height, width)
        damaged = damage_frame(clean, damage, full_range=True)
        truth = damage.truth
        return Made(self._after(damaged), self._after(clean), truth, annotate(drawn, truth) if annotated else [])

    def _drawn(self, index: int) -> list[tuple[Defect, Patch]]:
        top, left, height, width = self.box
        found = []
        for defect in self.defects(index):
            if not _near(defect, self.box):
                continue
            cover = KINDS[defect.kind].draw(defect.shape, defect.pose, self.size, index - defect.first)
            patch = expose(Cover(cover.coverage, cover.top - top, cover.left - left), defect.ink, height, width)
            if patch.alpha.size:
                found.append((defect, patch))
        return found


_GRAIN = 7
"""Of the seed of a frame's grain."""


def with_scene(frame: Frame, scene: Scene) -> Frame:
    """A whole 16-bit picture with the scene's look-alikes."""
    if not scene.amounts:
        return frame
    picture = np.clip(rgb_of(frame, True), 0, 1)
    kr, kb = BT709
    luma = picture[0] if len(picture) == 1 else kr * picture[0] + (1 - kr - kb) * picture[1] + kb * picture[2]
    return lay_over(frame, scene.stamps(frame.index, np.asarray(luma, dtype=np.float32)), True)


def annotate(drawn: Sequence[tuple[Defect, Patch]], truth: Mask) -> list[dict[str, Any]]:
    """One annotation for each defect that shows. Their masks together are `truth`.

    A pixel belongs to a defect that damages it by itself. Where only several together do, it belongs to the strongest
    of them.
    """
    own = [patch.strongest > TRUTH_ALPHA for _, patch in drawn]
    covered = np.zeros_like(truth)
    strongest = np.zeros(truth.shape, dtype=np.float32)
    for (_, patch), mask in zip(drawn, own, strict=True):
        place = _place(patch)
        covered[place] |= mask
        np.maximum(strongest[place], patch.strongest, out=strongest[place])
    rest = truth & ~covered
    found = []
    for (defect, patch), mask in zip(drawn, own, strict=True):
        place = _place(patch)
        if rest.any():
            taken = rest[place] & (patch.strongest == strongest[place])
            rest[place] &= ~taken
            mask = mask | taken
        # Damage only adds up, so this takes nothing but pixels that rounding put on either side of the threshold.
        mask &= truth[place]
        if mask.any():
            found.append(_annotation(defect, mask, patch.top, patch.left, truth.shape))
    return found


def _annotation(defect: Defect, mask: Mask, top: int, left: int, size: tuple[int, ...]) -> dict[str, Any]:
    segments = segmentation(mask)
    if isinstance(segments, dict):
        whole: Mask = np.zeros(size, dtype=bool)
        whole[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
        segments = segmentation(whole)
    else:
        segments = [[value + (left, top)[at % 2] for at, value in enumerate(flat)] for flat in segments]
    x, y, width, height = box_of(mask)
    return {
        "kind": defect.kind,
        "segmentation": segments,
        "area": int(mask.sum()),
        "bbox": [x + left, y + top, width, height],
        "iscrowd": 0,
        "defect": defect.number,
        "polarity": defect.ink.polarity,
        "opacity": round(defect.ink.opacity, 4),
        "tint": [round(share, 4) for share in defect.ink.tint],
    }


def _place(patch: Patch) -> tuple[slice, slice]:
    rows, columns = patch.strongest.shape
    return slice(patch.top, patch.top + rows), slice(patch.left, patch.left + columns)


def _near(defect: Defect, box: Box) -> bool:
    """Whether a defect can reach the box; one whose extent is not known may be anywhere."""
    extent = getattr(defect.shape, "extent", None)
    if extent is None or KINDS[defect.kind].spans:
        return True
    top, left, height, width = box
    reach = float(np.hypot(*extent)) * defect.pose.scale + REACH * float(np.hypot(defect.ink.softness, RIM)) + 2
    return left - reach < defect.pose.x < left + width + reach and top - reach < defect.pose.y < top + height + reach
