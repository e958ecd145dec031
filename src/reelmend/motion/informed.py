"""Windows that know their pictures' damage: whose word counts where, and motion that does not follow the damage.

A scratch that stays in place while the film moves draws the flow to itself, and a neighbour that is scratched at the
same place agrees with what the centre shows. Both go away once masks are known.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace

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

TOUCHED = 0.05
"""Share of a flow grid's pixel from which on damage counts."""


def filled(picture: Picture, damage: Mask) -> NDArray[np.uint8]:
    """A picture on the flow grid with its damage `(h, w)` filled from around it (Telea 2004, OpenCV's)."""
    if not damage.any():
        return picture.small
    hole = cv2.dilate(damage.view(np.uint8), np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8))
    if picture.small.shape != damage.shape:
        shares = cv2.resize(hole.astype(np.float32), picture.small.shape[::-1], interpolation=cv2.INTER_AREA)
        hole = (shares > TOUCHED).astype(np.uint8)
    return np.asarray(cv2.inpaint(picture.small, hole, REACH_OF_FILL, cv2.INPAINT_TELEA), np.uint8)


class FilledFlows:
    """Flows between pictures whose damage is filled; each picture is filled and each flow computed once, by whoever
    needs it first. Any thread may ask."""

    def __init__(self, pool: Pool) -> None:
        """`pool`: where the work is done."""
        self._pool = pool
        self._lock = threading.Lock()
        self._filled: dict[int, Future[NDArray[np.uint8]]] = {}
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

    def _picture(self, picture: Picture, damage: Mask) -> Future[NDArray[np.uint8]]:
        if picture.index not in self._filled:
            self._filled[picture.index] = self._pool.submit(filled, picture, damage)
        return self._filled[picture.index]


def _flow(one: Future[NDArray[np.uint8]], other: Future[NDArray[np.uint8]]) -> Flow:
    return optical_flow(one.result(), other.result())


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
