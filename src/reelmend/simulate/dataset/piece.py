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


class Piece(Simulation):
    """A box of the frames of a reel of `scan` `(height, width)` pixels. The same arguments give the same pixels."""

    def __init__(self, recipe: Recipe, seed: int, scan: tuple[int, int], box: Box, family: str) -> None:
        """`family` is `gray` or `rgb`: frames are 16 bits, full range. Errors as for `Simulation`."""
        super().__init__(recipe, seed, scan, Colour(range="full"), family)
        self.box = box

    @property
    def margin(self) -> int:
        """Pixels of the picture that must be known around the box: weave brings them in."""
        return int(np.ceil(4 * self._picture.weave + self._picture.jump * (self._picture.jumps > 0))) + 4

    def scene(self, size: tuple[int, int]) -> Scene:
        """The look-alikes of a whole picture of `size` `(height, width)`, to be laid before the piece is cut out."""
        return Scene(self.recipe, self.seed, size)

    def make(self, frame: Frame, around: Box) -> Made:
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
        return Made(self._after(damaged), self._after(clean), truth, annotate(drawn, truth))

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
