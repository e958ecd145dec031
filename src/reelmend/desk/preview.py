"""What a setting would do to one frame: its window, its repair, and every stage on the way as a picture."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.config import Job
from reelmend.desk.stills import Stills
from reelmend.errors import UsageError
from reelmend.film import DamageMap, Frame, Mask
from reelmend.grain import regrain
from reelmend.motion.cuts import CutFinder, shots
from reelmend.motion.picture import Picture, picture
from reelmend.motion.warp import follow, sample
from reelmend.motion.windows import REACH, Window, windows
from reelmend.pipeline.stream import Lazily
from reelmend.repair import grow, make_repairer
from reelmend.repair.promise import Repair, Repairer

AROUND = REACH + CutFinder.DELAY
"""Frames on each side that are read for a window."""


@dataclass(frozen=True, slots=True, eq=False)
class Repaired:
    """One frame, repaired one way."""

    frame: Frame
    """With grain, if the job wants it."""
    repair: Repair
    """Before grain."""
    seconds: float
    """What repair and grain took."""


class Preview:
    """Single frames of one reel, as any job would have them."""

    def __init__(self, stills: Stills) -> None:
        self._stills = stills
        self._last: tuple[int, Window] | None = None

    def window(self, number: int) -> Window:
        """A frame's window. The one asked for last is kept. Raises as `Stills.frame`."""
        last = self._last
        if last is None or last[0] != number:
            self._stills.frame(number)
            first = max(0, number - AROUND)
            for index, future in windows(shots(self._pictures(first, number + AROUND)), Lazily()):
                if index == number:
                    last = (number, future.result())
                    break
            assert last is not None
            self._last = last
        return last[1]

    def repaired(self, number: int, mask: Mask, job: Job) -> Repaired:
        """A frame with its mask filled as a job says; the mask is not grown yet. Raises as `make_repairer`."""
        window = self.window(number)
        repairer = _repairer(job.repair.repairer, job.device, job.seed, job.repair.bias)
        begun = time.perf_counter()
        repair = repairer.repair(window, grow(mask, job.repair.grow))
        frame = repair.frame
        changed = repair.filled_by > 0
        if job.grain.regrain and changed.any():
            frame = regrain(frame, window.centre.frame, changed, seed=job.seed)
        return Repaired(frame, repair, time.perf_counter() - begun)

    def stages(self, number: int, damage: DamageMap, mask: Mask, job: Job) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """Every stage of a frame by its name, as pictures `(h, w, 3)`."""
        window = self.window(number)
        scan = window.centre.frame
        yield "source", self._stills.rgb(scan)
        for one in sorted(window.neighbours, key=lambda one: one.step):
            yield f"neighbour {one.step:+d}, moved", _gray(_moved(window, one))
        yield "damage map", _gray(np.rint(damage * 255).astype(np.uint8))
        yield "mask", _gray(mask.view(np.uint8) * np.uint8(255))
        yield "mask, grown", _gray(grow(mask, job.repair.grow).view(np.uint8) * np.uint8(255))
        bare = job.model_copy(update={"grain": job.grain.model_copy(update={"regrain": False})})
        for name in ("temporal", job.repair.repairer):
            if name == "temporal" and job.repair.repairer == name:
                continue
            how = bare.model_copy(update={"repair": job.repair.model_copy(update={"repairer": name})})
            yield f"filled by {name}", self._stills.rgb(self.repaired(number, mask, how).frame)
        done = self.repaired(number, mask, job)
        yield "grain", _apart(done.frame, done.repair.frame)
        yield "result", self._stills.rgb(done.frame)
        yield "changed", _apart(done.frame, scan)

    def _pictures(self, first: int, last: int) -> Iterator[Picture]:
        for number in range(first, last + 1):
            try:
                frame = self._stills.frame(number)
            except UsageError:
                # The reel ends here.
                return
            yield picture(frame)


@lru_cache(maxsize=8)
def _repairer(name: str, device: str, seed: int, bias: float) -> Repairer:
    return make_repairer(name, device, seed, bias)


def _moved(window: Window, one: Any) -> NDArray[np.uint8]:
    height, width = window.centre.luma.shape
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.rint(sample(one.picture.luma, *follow(one.flow, xs, ys, window.centre.factor))).astype(np.uint8)


def _gray(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(plane, cv2.COLOR_GRAY2RGB), np.uint8)


GAIN = 8.0
"""By how much differences are amplified."""


def _apart(one: Frame, other: Frame) -> NDArray[np.uint8]:
    """The difference of two frames' first planes around middle gray, amplified."""
    scale = GAIN * 255 / one.layout.peak
    away = (one.planes[0].astype(np.float32) - other.planes[0].astype(np.float32)) * np.float32(scale)
    return _gray(np.clip(128 + np.nan_to_num(away), 0, 255).astype(np.uint8))
