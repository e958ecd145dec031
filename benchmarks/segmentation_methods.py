"""Ways to segment that are compared: each gives a family of label maps from coarse to fine, and its own choice.

The baselines of scikit-image and scikit-learn are run as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from reelmend.segment.affinity import Affinity, Similarity, affinity
from reelmend.segment.hierarchy import grow, own_threshold
from reelmend.segment.models import Model
from reelmend.segment.run import Options, Walker, as_picture, to_pixels, walk_of
from reelmend.segment.walk import flow, normalised, power

Labels = NDArray[Any]

CONSTANTS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""NCut thresholds that are tried."""


@dataclass(frozen=True)
class Method:
    """A way to segment a picture."""

    name: str
    walk: str
    """Steps of the walk, or nothing."""
    scales: tuple[float, ...]
    family: Callable[[NDArray[Any]], tuple[list[Labels], Labels | None]]
    """A label map for every scale, and the one that it chooses by itself, if it does."""


def baselines() -> Iterator[Method]:
    """What needs no model."""
    yield Method("one region", "", (1,), lambda image: ([np.zeros(image.shape[:2], int)], None))
    yield Method("squares", "", (2, 3, 4), lambda image: ([_squares(image, n) for n in (2, 3, 4)], None))
    counts = (2, 3, 4, 5, 6, 8)
    yield Method("k-means", "", counts, lambda image: ([_kmeans(image, n) for n in counts], None))
    segments = (2, 4, 6, 9, 16)
    yield Method("SLIC", "", segments, lambda image: ([_slic(image, n) for n in segments], None))
    scales = (100, 300, 1000, 3000, 10000)
    yield Method("Felzenszwalb", "", scales, lambda image: ([_felzenszwalb(image, n) for n in scales], None))
    cuts = (0.001, 0.01, 0.03, 0.1, 0.2, 0.3)
    yield Method("colour NCut (scikit-image)", "", cuts, lambda image: (_colour_ncut(image, cuts), None))


def _squares(image: NDArray[Any], count: int) -> Labels:
    rows, columns = (np.arange(n) * count // n for n in image.shape[:2])
    return np.asarray(rows[:, None] * count + columns[None, :])


def _kmeans(image: NDArray[Any], count: int) -> Labels:
    from sklearn.cluster import KMeans

    height, width = image.shape[:2]
    lab = cv2.cvtColor(cv2.GaussianBlur(as_picture(image), (0, 0), 2), cv2.COLOR_RGB2LAB) / 100
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    shown = (
        np.concatenate([lab, 0.5 * rows[..., None], 0.5 * columns[..., None]], axis=2).reshape(-1, 5).astype(np.float32)
    )
    found = KMeans(count, n_init=1, random_state=0).fit(shown[:: max(1, len(shown) // 8000)])
    return np.asarray(found.predict(shown).reshape(height, width))


def _slic(image: NDArray[Any], count: int) -> Labels:
    from skimage.segmentation import slic

    return np.asarray(slic(as_picture(image), count, compactness=10, start_label=0))


def _felzenszwalb(image: NDArray[Any], scale: float) -> Labels:
    from skimage.segmentation import felzenszwalb

    return np.asarray(felzenszwalb(as_picture(image), scale=scale, sigma=0.8, min_size=image.shape[0] * 2))


def _colour_ncut(image: NDArray[Any], thresholds: tuple[float, ...]) -> list[Labels]:
    from scipy.sparse.linalg import ArpackError
    from skimage import graph
    from skimage.segmentation import slic

    # Superpixels first, as in the library's own example: NCut on pixels does not fit memory.
    parts = slic(as_picture(image), 100, compactness=20, start_label=0)
    joined = graph.rag_mean_color(np.asarray(as_picture(image) * 255), parts, mode="similarity", sigma=2000)
    found: list[Labels] = []
    for threshold in thresholds:
        try:
            made = graph.cut_normalized(parts, joined, thresh=threshold, in_place=False, rng=np.random.default_rng(0))
        except ArpackError:
            # Its eigensolver gives up on some small graphs: then the coarser result has to do.
            made = found[-1] if found else np.zeros_like(parts)
        found.append(np.asarray(made))
    return found


def walked(
    name: str, walker: Callable[[NDArray[Any]], Walker], kind: Affinity, similarity: Similarity, k: int
) -> Method:
    """Our cuts of a walk."""
    options = Options(affinity=kind, similarity=similarity, walk=k)
    label = kind if kind == "attention" else f"{kind} ({similarity})"

    def family(image: NDArray[Any]) -> tuple[list[Labels], Labels | None]:
        made = walker(image)
        least = max(1, round(options.least * made.grid[0] * made.grid[1]))
        alike = affinity(power(made.walk, k), kind, similarity, made.hidden)
        tree = grow(alike, made.grid, walk=flow(made.walk), least=least)
        known: dict[int, Labels] = {}

        def at(threshold: float) -> Labels:
            regions = tree.at(threshold)
            # A threshold changes nothing but how many regions there are.
            if len(regions) not in known:
                known[len(regions)] = to_pixels(regions, made, as_picture(image), options)
            return known[len(regions)]

        return [at(one) for one in CONSTANTS], at(own_threshold(tree))

    return Method(f"{name}, {label}", str(k), CONSTANTS, family)


def remembered(make: Callable[[NDArray[Any]], Walker]) -> Callable[[NDArray[Any]], Walker]:
    """The same walk for all that cut it."""
    kept: dict[bytes, Walker] = {}

    def given(image: NDArray[Any]) -> Walker:
        key = image.tobytes()[:: max(1, image.size // 4096)]
        if key not in kept:
            kept[key] = make(image)
        return kept[key]

    return given


def colour_walker(image: NDArray[Any], side: int = 32) -> Walker:
    """A walk that needs no model: steps to nodes of like colour, nearby rather than far off."""
    small = cv2.resize(as_picture(image), (side, side), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).reshape(-1, 3) / 10
    rows, columns = np.mgrid[:side, :side]
    place = np.stack([rows.ravel(), columns.ravel()], axis=1) / (side / 8)
    shown = torch.from_numpy(np.concatenate([lab, place], axis=1).astype(np.float32))
    return Walker(normalised(torch.exp(-(torch.cdist(shown, shown) ** 2) / 2) + 1e-9), (side, side), shown)


def model_walker(model: Model, options: Options) -> Callable[[NDArray[Any]], Walker]:
    """The walk that a model's attention makes."""
    return remembered(lambda image: walk_of(image, model, options))
