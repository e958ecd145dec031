"""The damage of a frame: drawn from defects here, and laid over frames of any layout here.

Whatever a defect does to light is `picture = gain * picture + lift`, and so is what all defects of a frame do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reelmend.film import Frame, Layout, Mask, Plane
from reelmend.simulate.codes import footprint, luma_codes
from reelmend.simulate.defect import Defect, Image
from reelmend.simulate.optics import Patch, expose, focused
from reelmend.simulate.planes import BT709, change_rgb, rgb_of
from reelmend.simulate.recipe import FITTED

TRUTH_ALPHA = 0.12
"""A pixel is damaged where more than this share of the picture under it is lost. Below it an 8-bit mid-tone moves by
about its own grain."""


@dataclass(frozen=True, slots=True)
class Damage:
    """The drawn damage of one frame: `picture = gain * picture + lift`, float32 in 0..1.

    Both are `(h, w)`, or `(3, h, w)` for red, green and blue where any damage is coloured.
    """

    gain: Image
    lift: Image

    @property
    def alpha(self) -> Image:
        """Share of the picture lost, `(h, w)`, 0..1; of the channel that loses most."""
        lost = 1 - self.gain
        return np.asarray(lost if lost.ndim == 2 else lost.max(axis=0), dtype=np.float32)

    @property
    def truth(self) -> Mask:
        """`alpha > TRUTH_ALPHA`."""
        return np.asarray(self.alpha > TRUTH_ALPHA)


def draw(defects: Sequence[Defect], height: int, width: int, frame_index: int = 0) -> Damage:
    """The damage of frame `frame_index`, each defect laid over those before it; those that do not show are left out."""
    return lay((patch for _, patch in patches(defects, height, width, frame_index)), height, width)


def patches(defects: Sequence[Defect], height: int, width: int, frame_index: int = 0) -> Iterator[tuple[Defect, Patch]]:
    """What each defect does to frame `frame_index`, of those that show in it. Raises KeyError for an unknown kind."""
    from reelmend.simulate.kinds import KINDS

    for defect in defects:
        age = frame_index - defect.first
        if not 0 <= age < defect.frames or age % defect.every:
            continue
        cover = KINDS[defect.kind].draw(defect.shape, defect.pose, (height, width), age)
        ink = focused(defect.ink, defect.pose.scale) if defect.kind in FITTED else defect.ink
        patch = expose(cover, ink, height, width)
        if patch.alpha.size:
            yield defect, patch


def lay(drawn: Iterable[Patch], height: int, width: int) -> Damage:
    """Patches laid one over the other, in order."""
    gain: Image = np.ones((height, width), dtype=np.float32)
    lift: Image = np.zeros((height, width), dtype=np.float32)
    for patch in drawn:
        if patch.alpha.ndim > gain.ndim:
            gain, lift = (np.repeat(image[None], 3, axis=0) for image in (gain, lift))
        rows, columns = patch.alpha.shape[-2:]
        place = np.s_[..., patch.top : patch.top + rows, patch.left : patch.left + columns]
        gain[place] *= 1 - patch.alpha
        lift[place] *= 1 - patch.alpha
        lift[place] += patch.lift
    return Damage(gain, lift)


def damage_frame(
    frame: Frame, damage: Damage, *, full_range: bool = False, weights: tuple[float, float] = BT709
) -> Frame:
    """A frame with damage laid over it, in its own planes; samples that no damage reaches keep their values.

    `full_range` says whether an integer Y'CbCr or gray frame uses all code values; RGB and float always do.
    `weights` are Kr and Kb of a Y'CbCr frame's matrix (`media.colour.luma_weights`), by which coloured damage finds
    its way into luma and chroma; the share of gray likewise. Raises ValueError for damage of another size.
    """
    if damage.gain.shape[-2:] != (frame.height, frame.width):
        raise ValueError(f"damage of {damage.gain.shape} does not fit a frame of {frame.height} x {frame.width}")
    if damage.gain.ndim == 2:
        return _neutral(frame, damage, full_range)
    if frame.layout.family == "gray":
        share = np.array([weights[0], 1 - sum(weights), weights[1]], dtype=np.float32)
        gain, lift = (np.tensordot(share, image, 1) for image in (damage.gain, damage.lift))
        return _neutral(frame, Damage(np.where((damage.gain < 1).any(axis=0), gain, np.float32(1)), lift), full_range)
    before = rgb_of(frame, full_range, weights)
    return change_rgb(frame, before, damage.gain * before + damage.lift, full_range, weights)


def _neutral(frame: Frame, damage: Damage, full_range: bool) -> Frame:
    """Damage without colour takes colour away as it takes light."""
    layout = frame.layout
    planes = list(frame.planes)
    for index in range(layout.colour_planes):
        planes[index] = _damage_plane(frame.planes[index], index, layout, damage, full_range)
    return replace(frame, planes=tuple(planes))


def _damage_plane(plane: Plane, index: int, layout: Layout, damage: Damage, full_range: bool) -> Plane:
    gain, lift = (footprint(image, layout, index) for image in (damage.gain, damage.lift))
    code = plane.astype(np.float32)
    if layout.family == "yuv" and index > 0:
        middle = np.float32(0 if layout.is_float else 2 ** (layout.bits - 1))
        changed = middle + gain * (code - middle)
    else:
        black, white = luma_codes(layout, full_range)
        changed = black + gain * (code - black) + lift * np.float32(white - black)
    if not layout.is_float:
        changed = np.clip(np.rint(changed), 0, layout.peak)
    return np.where(gain < 1, changed, code).astype(plane.dtype)
