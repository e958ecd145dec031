"""The blobs of a mask, by which most rules decide: each pixel's blob, and blobs taken out whole."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask


class Labels:
    """The blobs (8-connected) of a mask `(h, w)`, which is no copy: what is cleared here is cleared there.

    A mask is nearly empty, so all that is counted is counted over its own pixels, not over the frame's. Raises
    ValueError for one whose rows do not lie one after the other in memory.
    """

    def __init__(self, mask: Mask) -> None:
        if not mask.flags.c_contiguous:
            raise ValueError("a mask's rows must lie one after the other")
        self.mask = mask
        self.count, self.map = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
        """Blobs and the background, which is number 0; the number at each pixel, `(h, w)` int32, as the mask was."""
        self.where = np.flatnonzero(mask)
        """Pixels of the mask, as places in the flattened frame, `(n,)`."""
        self.blob: NDArray[np.int32] = self.map.ravel()[self.where]
        """The number of the blob of each of them, `(n,)`."""

    @property
    def area(self) -> NDArray[np.intp]:
        """Pixels of each blob, `(count,)`; 0 of the background and of what was cleared."""
        return np.bincount(self.blob, minlength=self.count)

    def total(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """The sum of a picture `(h, w)` over each blob, `(count,)`."""
        return np.asarray(np.bincount(self.blob, values.ravel()[self.where], minlength=self.count), np.float64)

    def highest(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The highest value of a picture `(h, w)`, 0 or more, in each blob, `(count,)`."""
        found = np.zeros(self.count, np.float32)
        np.maximum.at(found, self.blob, values.ravel()[self.where])
        return found

    @property
    def boxes(self) -> NDArray[np.intp]:
        """Left, top, width and height of each blob, `(count, 4)`; of the background and what was cleared 0."""
        ys, xs = np.divmod(self.where, self.mask.shape[1])
        boxes = np.zeros((self.count, 4), np.intp)
        there = self.area > 0
        for n, places in ((0, xs), (1, ys)):
            low, high = np.full(self.count, self.mask.size), np.zeros(self.count, np.intp)
            np.minimum.at(low, self.blob, places)
            np.maximum.at(high, self.blob, places)
            boxes[there, n], boxes[there, n + 2] = low[there], (high - low + 1)[there]
        return boxes

    @property
    def centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """x and y of the middle of each blob, two arrays `(count,)`; 0 of the background and what was cleared."""
        ys, xs = np.divmod(self.where, self.mask.shape[1])
        x, y = (np.bincount(self.blob, one, minlength=self.count) / np.maximum(self.area, 1) for one in (xs, ys))
        return x, y

    def touching(self, other: Mask) -> NDArray[np.bool_]:
        """Which blobs share a pixel with another mask, `(count,)`."""
        return self.total(other) > 0

    def clear(self, gone: NDArray[np.bool_]) -> None:
        """Takes blobs `(count,)` out of the mask."""
        away = gone[self.blob]
        self.mask.ravel()[self.where[away]] = False
        self.where, self.blob = self.where[~away], self.blob[~away]

    def those(self, kept: NDArray[np.bool_]) -> Mask:
        """A mask of the blobs `(count,)` alone."""
        mask = np.zeros(self.mask.shape, np.bool_)
        mask.ravel()[self.where[kept[self.blob]]] = True
        return mask
