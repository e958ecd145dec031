"""What a setting would do to one frame: its window, its repair, and every stage on the way as a picture."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.config import Job
from reelmend.desk.stills import Shelf, Stills
from reelmend.errors import UsageError
from reelmend.film import DamageMap, Frame, Mask
from reelmend.grain import regrain
from reelmend.motion.cuts import CutFinder, shots
from reelmend.motion.informed import FilledFlows, informed
from reelmend.motion.picture import Picture, picture
from reelmend.motion.warp import follow, sample
from reelmend.motion.windows import REACH, Plan, Window, planned_windows
from reelmend.pipeline.frames import UNSURE
from reelmend.pipeline.kept import Kept, KeptRepairs
from reelmend.pipeline.stream import Lazily
from reelmend.repair import grow, make_repairer
from reelmend.repair.promise import Repairer
from reelmend.repair.regions import GuardedRepairer, Regions, parse_protect

AROUND = REACH + CutFinder.DELAY
"""Frames on each side that are read for a window."""


REPAIRED_KEPT = 64 << 20
"""Bytes of repaired frames."""


Masks = Callable[[int], Mask]
"""The damage of a reel's frames by number, edits applied, not grown."""


@dataclass(frozen=True, slots=True, eq=False)
class Hole:
    """What is to be repaired in a frame."""

    mask: Mask
    grown: Mask
    near: dict[int, Mask]
    """Damage of its neighbours, by frame number."""


@dataclass(frozen=True, slots=True, eq=False)
class Repaired:
    """One frame, repaired one way."""

    frame: Frame
    """With grain, if the job wants it."""
    filled_by: NDArray[np.uint8]
    """`(h, w)`, codes of `FilledBy`."""
    unsure: Mask
    seconds: float
    """What repair and grain took, or getting what was kept."""
    key: bytes = b""
    """By which a render finds it, if it was kept."""
    kept: bool = False
    """Whether a render has nothing to repair any more."""


class Preview:
    """Single frames of one reel, as any job would have them."""

    def __init__(self, stills: Stills) -> None:
        self._stills = stills
        self._last: tuple[int, Plan, Future[Window]] | None = None
        self._repaired: Shelf[Repaired] = Shelf(REPAIRED_KEPT)

    def window(self, number: int) -> Window:
        """A frame's window. The one asked for last is kept. Raises as `Stills.frame`."""
        return self._planned(number)[1].result()

    def _planned(self, number: int) -> tuple[Plan, Future[Window]]:
        last = self._last
        if last is None or last[0] != number:
            self._stills.frame(number)
            first = max(0, number - AROUND)
            for plan, window in planned_windows(shots(self._pictures(first, number + AROUND)), Lazily()):
                if plan.centre.index == number:
                    last = (number, plan, window)
                    break
            assert last is not None
            self._last = last
        return last[1], last[2]

    def repaired(self, number: int, masks: Masks, job: Job, kept: KeptRepairs | None = None) -> Repaired:
        """A frame with its mask filled as a job says; masks are not grown yet. The last few are remembered.

        `kept`: where the repairs of that job are kept, and this one will be. Raises as `make_repairer`.
        """
        mask = masks(number)
        near: dict[int, Mask] = {}
        if mask.any():
            plan = self._planned(number)[0]
            near = {one.index: masks(one.index) for one in (*plan.before, *plan.after)}
        told = b"".join(map(digest_of, [mask, *near.values()]))
        known = (number, told, job.repair, job.grain, job.seed, job.device)
        hole, done = Hole(mask, grow(mask, job.repair.grow), near), self._repaired.get(known)
        if kept is not None:
            done = self._kept(number, hole, job, kept, done)
        elif done is None:
            done = self._made(number, hole, job)
        held = sum(plane.nbytes for plane in done.frame.planes) + 2 * mask.size
        self._repaired.put(known, done, held)
        return done

    def _kept(self, number: int, hole: Hole, job: Job, kept: KeptRepairs, done: Repaired | None) -> Repaired:
        """The repair from where it is kept, or else made, or done before, and then kept."""
        grown = hole.grown
        if not grown.any():
            kept.drop(number)
            return replace(done or self._made(number, hole, job), kept=True)
        if done is not None and done.key and kept.has(done.key, number):
            return done
        begun = time.perf_counter()
        plan = self._planned(number)[0]
        scan = plan.centre.frame
        key = kept.key(plan, grown, hole.near)
        there = kept.get(key, scan, grown) if done is None else None
        if there is not None:
            seconds = time.perf_counter() - begun
            return Repaired(there.frame, there.filled_by, there.unsure, seconds, key, True)
        done = done or self._made(number, hole, job)
        there = Kept(done.frame, done.filled_by, done.unsure)
        return replace(done, key=key, kept=kept.put(key, scan, grown, there))

    def _made(self, number: int, hole: Hole, job: Job) -> Repaired:
        repairer = _repairer(job.repair.repairer, job.device, job.seed, job.repair.bias)
        if job.repair.protect is not None:
            repairer = GuardedRepairer(repairer, Regions.read(*parse_protect(job.repair.protect)))
        if not hole.mask.any():
            # Nothing around the frame needs to be read.
            frame = self._stills.frame(number)
            nothing = np.zeros((frame.height, frame.width), np.uint8)
            return Repaired(frame, nothing, nothing.view(np.bool_), 0.0)
        window = self.window(number)
        begun = time.perf_counter()
        window = informed(window, {**hole.near, number: hole.mask}, FilledFlows(Lazily()))
        repair = repairer.repair(window, hole.grown)
        frame = repair.frame
        if job.grain.regrain:
            frame = regrain(frame, window.centre.frame, repair.touched, drawn=repair.drawn, seed=job.seed)
        return Repaired(frame, repair.filled_by, repair.unsure >= UNSURE, time.perf_counter() - begun)

    def stages(self, number: int, damage: DamageMap, masks: Masks, job: Job) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """Every stage of a frame by its name, as pictures `(h, w, 3)`."""
        mask = masks(number)
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
            yield f"filled by {name}", self._stills.rgb(self.repaired(number, masks, how).frame)
        done = self.repaired(number, masks, job)
        yield "grain", _apart(done.frame, self.repaired(number, masks, bare).frame)
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


def digest_of(plane: NDArray[Any]) -> bytes:
    """Of a mask or a damage map, to tell whether it is the same."""
    told = np.packbits(plane) if plane.dtype == np.bool_ else np.ascontiguousarray(plane)
    return hashlib.blake2b(told.data, digest_size=16).digest()


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
