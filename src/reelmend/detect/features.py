"""What can be measured of a candidate blob: numbers without units, so that they mean the same on any film.

Lengths are in pixels of a 640-wide frame, light in multiples of the film's noise or of the blob's own contrast.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.candidates import Candidates
from reelmend.motion.flow import disagreement, length
from reelmend.motion.warp import follow, sample
from reelmend.motion.windows import Neighbour, Window

FEATURES = (
    "contrast",  # mean spike over noise
    "peak",  # largest spike over noise
    "contrast_codes",  # mean spike, 8-bit codes
    "seeded",  # share of pixels that leave the neighbours' 3x3 range
    "area",  # log2 of pixels at 640 wide
    "fill",  # area over bounding box
    "elongation",  # log2 of bounding box sides' ratio
    "thickness",  # area over the longer side
    "disagreement",  # |a - b| inside over contrast
    "ring_disagreement",  # |a - b| around over contrast
    "ring_residual",  # |centre - mean| around, over contrast
    "ring_noise",  # |centre - mean| around, over noise
    "rim_residual",  # |centre - mean| three pixels off the blob, over contrast: motion goes on, damage ends
    "rim_opposed",  # share of those pixels that spike the other way: a moved edge makes a pair
    "evenness",  # spread of the centre inside over contrast
    "texture",  # gradient of the neighbours around, over contrast
    "sharpness",  # gradient of the centre along the blob over contrast
    "second_contrast",  # spike against all four neighbours, over the spike
    "second_missing",  # share of second neighbours that do not exist
    "consistency",  # forward-backward error around, pixels
    "speed",  # length of the flow, pixels
    "shear",  # how unevenly the flow moves around, pixels
    "jerk",  # flow to the next against flow from the one before, pixels
    "recurrence",  # damage-like area near the same place in the neighbours, over own area
    "recurrence_wide",  # the same in a wider circle
    "trail",  # a like blob on both sides in opposite directions: 1 perfect match, 0 none
    "crowd",  # candidate share of the surroundings in this frame
    "onesided",  # 1 where both neighbours lie on one side
    "level",  # brightness behind, 0..1
    "bright",  # 1 bright, 0 dark
)

_SURVEY_WIDTH = 320

Table = NDArray[np.float32]


class Blobs:
    """The candidate blobs of a frame with the features that need this window alone."""

    def __init__(self, window: Window, found: Candidates) -> None:
        count, order, where = found.count, found.blob, found.where
        width = window.centre.luma.shape[1]
        self.count = count
        self.scale = width / 640.0
        self._order = order
        ys, xs = np.divmod(where, width)
        self.area = np.bincount(order, minlength=count).astype(np.float32)
        self.x = _mean(order, xs, self.area)
        self.y = _mean(order, ys, self.area)
        left, right = _range(order, xs, count)
        top, bottom = _range(order, ys, count)
        self.box = np.stack([left, top, right - left + 1, bottom - top + 1], axis=1)
        self.sign = np.sign(np.bincount(order, found.spike, count)).astype(np.float32)
        self.table = self._measure(window, found, xs, ys) if count else _empty()

    def _measure(self, window: Window, found: Candidates, xs: NDArray[np.intp], ys: NDArray[np.intp]) -> Table:
        order, area, scale, where = self._order, self.area, self.scale, found.where
        spike = np.abs(found.spike).astype(np.float32)
        centre = window.centre.luma
        a, b = found.warped[0].luma, found.warped[1].luma
        behind = found.mean.ravel()[where]
        noise = _mean(order, found.noise[behind], area)
        contrast = np.maximum(_mean(order, spike, area), 0.5)
        peak = np.zeros(self.count, np.float32)
        np.maximum.at(peak, order, spike)
        wide, high = self.box[:, 2], self.box[:, 3]

        around = _Surroundings(window, found, self.x, self.y, scale)
        gap = np.abs(a.ravel()[where].astype(np.float32) - b.ravel()[where])
        gradient = _gradient_at(centre, ys, xs)
        rim = self._rim(window, found, ys, xs)
        value = centre[ys, xs].astype(np.float32)
        middle = _mean(order, value, area)
        spread = np.sqrt(np.maximum(_mean(order, value * value, area) - middle**2, 0))
        second, missing = self._second(window, found, xs, ys, spike)
        flows = around.flows(found.pair)
        out = {
            "contrast": contrast / noise,
            "peak": peak / noise,
            "contrast_codes": contrast,
            "seeded": _mean(order, found.seed, area),
            "area": np.log2(area / scale**2),
            "fill": area / (wide * high),
            "elongation": np.abs(np.log2(wide / high)),
            "thickness": area / np.maximum(wide, high) / scale,
            "disagreement": _mean(order, gap, area) / contrast,
            "ring_disagreement": around.gap / contrast,
            "ring_residual": around.residual / contrast,
            "ring_noise": around.residual / noise,
            "rim_residual": rim[0] / contrast,
            "rim_opposed": rim[1],
            "evenness": spread / contrast,
            "texture": around.texture / contrast,
            "sharpness": _mean(order, gradient, area) / contrast,
            "second_contrast": _mean(order, second, area) / contrast,
            "second_missing": np.full(self.count, missing),
            "consistency": flows["consistency"] / scale,
            "speed": flows["speed"] / scale,
            "shear": flows["shear"] / scale,
            "jerk": flows["jerk"] / scale,
            "recurrence": np.zeros(self.count),
            "recurrence_wide": np.zeros(self.count),
            "trail": np.zeros(self.count),
            "crowd": around.crowd,
            "onesided": np.full(self.count, float(found.pair[0].step * found.pair[1].step > 0)),
            "level": _mean(order, behind, area) / 255.0,
            "bright": self.sign > 0,
        }
        return np.stack([np.asarray(out[name], np.float32) for name in FEATURES], axis=1)

    def _rim(
        self, window: Window, found: Candidates, ys: NDArray[np.intp], xs: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Just outside each blob: mean |centre - mean|, and the share of spikes of the other sign."""
        luma, order = window.centre.luma, self._order
        height, width = luma.shape
        sign = np.zeros(luma.shape, np.int8)
        sign.ravel()[found.where] = np.sign(found.spike)
        own = self.sign[order]
        reach = max(2, round(3 * self.scale))
        total = np.zeros(self.count, np.float64)
        free = np.full(self.count, 1e-3)
        opposed, seen = np.zeros(self.count, np.float64), np.full(self.count, 1e-3)
        for dy, dx in ((0, -1), (0, 1), (-1, 0), (1, 0), (-0.7, -0.7), (-0.7, 0.7), (0.7, -0.7), (0.7, 0.7)):
            y = np.clip(ys + round(dy * reach), 0, height - 1)
            x = np.clip(xs + round(dx * reach), 0, width - 1)
            there = sign[y, x]
            outside = there == 0
            residual = np.abs(luma[y, x].astype(np.float32) - found.mean[y, x])
            total += np.bincount(order, residual * outside, self.count)
            free += np.bincount(order, outside, self.count)
            opposed += np.bincount(order, there == -own, self.count)
            seen += np.bincount(order, there != own, self.count)
        return np.asarray(total / free, np.float32), np.asarray(opposed / seen, np.float32)

    def _second(
        self,
        window: Window,
        found: Candidates,
        xs: NDArray[np.intp],
        ys: NDArray[np.intp],
        spike: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], float]:
        """The spike that is left when the second neighbours are asked too, and the share of them that do not exist."""
        others = [one for one in window.neighbours if all(one is not used for used in found.pair)]
        left = spike.copy()
        sign = self.sign[self._order]
        value = window.centre.luma[ys, xs].astype(np.float32)
        px, py = xs.astype(np.float32), ys.astype(np.float32)
        height, width = window.centre.luma.shape
        for other in others:
            mx, my = follow(other.flow, px, py, window.centre.factor)
            seen = sample(other.picture.luma, mx, my)
            # Flicker between second neighbours is taken from the pair's light grid twice over: what matters here is
            # whether the spike survives, not its exact height.
            light = found.warped[0 if other.step < 0 else 1].light
            gy, gx = light.shape
            seen += 2 * sample(light, (px + 0.5) * gx / width - 0.5, (py + 0.5) * gy / height - 0.5)
            left = np.minimum(left, sign * (value - seen))
        return np.maximum(left, -spike), 1.0 - len(others) / 2.0


class _Surroundings:
    """Averages around each blob, candidate pixels left out, on a survey grid about 320 wide."""

    def __init__(
        self, window: Window, found: Candidates, x: NDArray[np.float32], y: NDArray[np.float32], scale: float
    ) -> None:
        luma = window.centre.luma
        # Every `step`-th pixel of the flow grid.
        self._step = step = max(1, round(window.centre.small.shape[1] / _SURVEY_WIDTH))
        self._factor = window.centre.factor
        whole = self._factor * step
        size = (-(-window.centre.small.shape[1] // step), -(-window.centre.small.shape[0] // step))
        self._x, self._y = (x + 0.5) / whole - 0.5, (y + 0.5) / whole - 0.5
        # A window of about 25 pixels at 640 wide.
        side = 2 * max(2, round(12 * scale / whole)) + 1
        self._side = (side, side)
        taken = np.zeros(luma.size, np.uint8)
        taken[found.where] = 255
        taken = cv2.resize(taken.reshape(luma.shape), size, interpolation=cv2.INTER_AREA)
        self._weight = 1 - taken.astype(np.float32) / 255
        self._free = cv2.boxFilter(self._weight, -1, self._side) + 1e-3
        self.crowd = 1 - self._at(cv2.boxFilter(self._weight, -1, (3 * side, 3 * side)))
        a, b = found.warped[0].luma, found.warped[1].luma
        residual = cv2.absdiff(luma, found.mean)
        behind = cv2.resize(found.mean, size, interpolation=cv2.INTER_AREA)
        maps = [
            cv2.resize(cv2.absdiff(a, b), size, interpolation=cv2.INTER_AREA),
            cv2.resize(residual, size, interpolation=cv2.INTER_AREA),
            cv2.morphologyEx(behind, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)),
        ]
        self.gap, self.residual, self.texture = (self._around(one) for one in maps)

    def _at(self, field: NDArray[np.float32]) -> NDArray[np.float32]:
        return sample(np.ascontiguousarray(field, np.float32), self._x, self._y)

    def _around(self, field: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        weighted = cv2.multiply(field, self._weight, dtype=cv2.CV_32F)
        return self._at(cv2.boxFilter(weighted, -1, self._side) / self._free)

    def flows(self, pair: tuple[Neighbour, Neighbour]) -> dict[str, NDArray[np.float32]]:
        first, second = pair
        step = self._step
        consistency = np.minimum(
            self._around(np.minimum(disagreement(first.flow, first.back, step), 8.0)),
            self._around(np.minimum(disagreement(second.flow, second.back, step), 8.0)),
        )
        there, other = (np.ascontiguousarray(one.flow[::step, ::step]) for one in pair)
        speed = np.maximum(self._around(length(there)), self._around(length(other)))
        # One step on, motion goes on as it was: on opposite sides the flows mirror each other.
        turn = other * np.float32(-1 if first.step * second.step < 0 else first.step / second.step)
        shear = self._around(length(other - cv2.boxFilter(other, -1, self._side)))
        jerk = self._around(length(there - turn))
        f = self._factor
        return {"consistency": consistency * f, "speed": speed * f, "shear": shear * f, "jerk": jerk * f}


def _empty() -> Table:
    return np.zeros((0, len(FEATURES)), np.float32)


def _mean(order: NDArray[np.int32], values: NDArray, area: NDArray[np.float32]) -> NDArray[np.float32]:  # type: ignore[type-arg]
    return np.asarray(np.bincount(order, values, len(area)) / np.maximum(area, 1), np.float32)


def _range(order: NDArray[np.int32], values: NDArray[np.intp], count: int) -> tuple[NDArray[np.float32], ...]:
    low, high = np.full(count, np.inf, np.float32), np.zeros(count, np.float32)
    np.minimum.at(low, order, values.astype(np.float32))
    np.maximum.at(high, order, values.astype(np.float32))
    return low, high


def _gradient_at(luma: NDArray[np.uint8], ys: NDArray[np.intp], xs: NDArray[np.intp]) -> NDArray[np.float32]:
    """Length of the centred-difference gradient at points, 8-bit codes a pixel."""
    height, width = luma.shape
    values = luma.astype(np.float32, copy=False) if luma.dtype != np.uint8 else luma

    def at(dy: int, dx: int) -> NDArray[np.float32]:
        return values[np.clip(ys + dy, 0, height - 1), np.clip(xs + dx, 0, width - 1)].astype(np.float32)

    return np.asarray(np.hypot(at(0, 1) - at(0, -1), at(1, 0) - at(-1, 0)) / 2, np.float32)
