"""Windows that know their pictures' damage: whose word counts where, and motion that does not follow the damage.

A scratch that stays in place while the film moves draws the flow to itself, and a neighbour that is scratched at the
same place agrees with what the centre shows. Both go away once masks are known.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask
from reelmend.motion.flow import Flow, compose, optical_flow
from reelmend.motion.picture import Picture
from reelmend.motion.windows import Neighbour, Pool, Window

RIM = 2
"""Pixels around damage that are filled with it, before flow is looked for."""

REACH_OF_FILL = 3
"""Pixels of the flow grid from which damage is filled."""

DEEP = 12.0
"""Pixels of the flow grid from its rim: damage so deep somewhere has a fill that tells nothing of motion, which is
carried in from around."""

NEAR = 4
"""Pixels of the flow grid around such damage where motion is spoiled too."""

CARRIED = (8.0, 16.0, 32.0, 64.0, 128.0)
"""Standard deviations, pixels of the flow grid, over which it is averaged: the least that reaches."""

REACHES = 0.05
"""Weight of what is known from which on it is reached."""

TOUCHED = 0.05
"""Share of a flow grid's pixel from which on damage counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """A picture on the flow grid without its damage."""

    luma: NDArray[np.uint8]
    deep: Mask | None
    """Where flow from here is not to be believed; None for nowhere."""


def filled(picture: Picture, damage: Mask) -> Filled:
    """A picture on the flow grid with its damage `(h, w)` filled from around it (Telea 2004, OpenCV's)."""
    if not damage.any():
        return Filled(picture.small, None)
    hole = cv2.dilate(damage.view(np.uint8), np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8))
    if picture.small.shape != damage.shape:
        shares = cv2.resize(hole.astype(np.float32), picture.small.shape[::-1], interpolation=cv2.INTER_AREA)
        hole = (shares > TOUCHED).astype(np.uint8)
    luma = np.asarray(cv2.inpaint(picture.small, hole, REACH_OF_FILL, cv2.INPAINT_TELEA), np.uint8)
    middles = cv2.distanceTransform(hole, cv2.DIST_L2, 3) > DEEP
    if not middles.any():
        return Filled(luma, None)
    count, labels = cv2.connectedComponents(hole, connectivity=8)
    deep = np.zeros(count, np.bool_)
    deep[labels[middles]] = True
    around = np.ones((2 * NEAR + 1, 2 * NEAR + 1), np.uint8)
    return Filled(luma, cv2.dilate(deep[labels].view(np.uint8), around) > 0)


def carried_in(flow: Flow, where: Mask) -> Flow:
    """A flow that is not known `where` `(h, w)`, with the mean of what is around it there: over the least of `CARRIED`
    that reaches what is known. Where nothing reaches, it stays."""
    known = (~where).astype(np.float32)
    out, unknown = flow.copy(), where.copy()
    for sigma in CARRIED:
        weight = cv2.GaussianBlur(known, (0, 0), sigma)
        reached = unknown & (weight > REACHES)
        mean = (
            cv2.GaussianBlur(flow * known[..., None], (0, 0), sigma) / np.maximum(weight, np.float32(1e-6))[..., None]
        )
        out[reached] = mean[reached]
        unknown &= ~reached
        if not unknown.any():
            break
    return out


class FilledFlows:
    """Flows between pictures whose damage is filled; each picture is filled and each flow computed once, by whoever
    needs it first. Any thread may ask."""

    def __init__(self, pool: Pool) -> None:
        """`pool`: where the work is done."""
        self._pool = pool
        self._lock = threading.Lock()
        self._filled: dict[int, Future[Filled]] = {}
        self._flows: dict[tuple[int, int], Future[Flow]] = {}

    def between(self, one: Picture, other: Picture, damage: Mapping[int, Mask]) -> Flow:
        """The flow from one picture to another; `damage` `(h, w)` of both by frame number, the same at every call."""
        key = (one.index, other.index)
        with self._lock:
            if key not in self._flows:
                pictures = [self._picture(picture, damage[picture.index]) for picture in (one, other)]
                self._flows[key] = self._pool.submit(_flow, *pictures)
            flow = self._flows[key]
        return flow.result()

    def forget(self, before: int) -> None:
        """Let go of what begins at frames before a number."""
        with self._lock:
            for number in [one for one in self._filled if one < before]:
                del self._filled[number]
            for key in [key for key in self._flows if min(key) < before]:
                del self._flows[key]

    def _picture(self, picture: Picture, damage: Mask) -> Future[Filled]:
        if picture.index not in self._filled:
            self._filled[picture.index] = self._pool.submit(filled, picture, damage)
        return self._filled[picture.index]


def _flow(one: Future[Filled], other: Future[Filled]) -> Flow:
    flow, deep = optical_flow(one.result().luma, other.result().luma), one.result().deep
    return flow if deep is None else carried_in(flow, deep)


def informed(window: Window, damage: Mapping[int, Mask], flows: FilledFlows) -> Window:
    """The same window, whose neighbours know their damage and the way through it.

    `damage` `(h, w)` by frame number, the centre's too: as found, not grown (what lies around it is still good). A
    neighbour of which nothing is known stays as it is, and so do those beyond it.
    """

    def side(neighbours: tuple[Neighbour, ...]) -> tuple[Neighbour, ...]:
        out: list[Neighbour] = []
        here, total = window.centre, None
        for one in neighbours:
            if one.picture.index not in damage:
                return (*out, *neighbours[len(out) :])
            onward = flows.between(here, one.picture, damage)
            total = onward if total is None else compose(total, onward)
            out.append(replace(one, damage=damage[one.picture.index], through=total))
            here = one.picture
        return tuple(out)

    return replace(window, before=side(window.before), after=side(window.after))
