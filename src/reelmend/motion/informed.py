"""Windows that know their pictures' damage: whose word counts where, and motion that does not follow the damage.

A scratch that stays in place while the film moves draws the flow to itself, and a neighbour that is scratched at the
same place agrees with what the centre shows. Both go away once masks are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask
from reelmend.motion.flow import Flow, compose, optical_flow
from reelmend.motion.picture import Picture
from reelmend.motion.windows import Neighbour, Window

RADIUS = 3
"""Pixels of the flow grid around damage from which it is filled, before flow is looked for."""

TOUCHED = 0.05
"""Share of a flow grid's pixel from which on damage counts."""

Flows = Callable[[Picture, Picture], Flow]
"""The flow from one picture to another, both with their damage filled in."""


def filled(picture: Picture, damage: Mask) -> NDArray[np.uint8]:
    """A picture on the flow grid with its damage `(h, w)` filled from around it (Telea 2004, OpenCV's)."""
    if not damage.any():
        return picture.small
    hole = damage
    if picture.small.shape != damage.shape:
        size = picture.small.shape[::-1]
        shares = cv2.resize(damage.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        hole = shares > TOUCHED
    missing = np.ascontiguousarray(hole).view(np.uint8)
    return np.asarray(cv2.inpaint(picture.small, missing, RADIUS, cv2.INPAINT_TELEA), np.uint8)


class FilledFlows:
    """Flows between pictures whose damage is filled; each picture is filled and each flow computed once."""

    def __init__(self, damage: Mapping[int, Mask]) -> None:
        """`damage`: what is to be filled, grown, by frame number."""
        self._damage = damage
        self._filled: dict[int, NDArray[np.uint8]] = {}
        self._flows: dict[tuple[int, int], Flow] = {}

    def __call__(self, one: Picture, other: Picture) -> Flow:
        key = (one.index, other.index)
        if key not in self._flows:
            self._flows[key] = optical_flow(self._picture(one), self._picture(other))
        return self._flows[key]

    def forget(self, before: int) -> None:
        """Let go of everything about frames before a number."""
        for number in [one for one in self._filled if one < before]:
            del self._filled[number]
        for key in [key for key in self._flows if min(key) < before]:
            del self._flows[key]

    def _picture(self, picture: Picture) -> NDArray[np.uint8]:
        if picture.index not in self._filled:
            self._filled[picture.index] = filled(picture, self._damage[picture.index])
        return self._filled[picture.index]


def informed(window: Window, damage: Mapping[int, Mask], flows: Flows) -> Window:
    """The same window, whose neighbours know their damage and the way through it.

    `damage` `(h, w)` by frame number: as found, not grown (what lies around it is still good). A neighbour of which
    nothing is known stays as it is, and so do those beyond it.
    """

    def side(neighbours: tuple[Neighbour, ...]) -> tuple[Neighbour, ...]:
        out: list[Neighbour] = []
        here, total = window.centre, None
        for one in neighbours:
            if one.picture.index not in damage:
                return (*out, *neighbours[len(out) :])
            onward = flows(here, one.picture)
            total = onward if total is None else compose(total, onward)
            out.append(replace(one, damage=damage[one.picture.index], through=total))
            here = one.picture
        return tuple(out)

    return replace(window, before=side(window.before), after=side(window.after))
