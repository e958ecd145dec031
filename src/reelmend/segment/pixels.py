"""From regions of nodes to regions of pixels: mean attention enlarged, edges of the picture followed, specks joined."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reelmend.segment.hierarchy import Labels, Node

Floats = NDArray[np.float32]

SMOOTH = 1e-3
"""Variance, in full scale squared, from which on the picture counts as an edge for the guided filter."""


def region_maps(walk: Tensor, regions: list[Node], grid: tuple[int, int]) -> Tensor:
    """Where each region looks, `(regions, rows, columns)`: the mean of its nodes' rows."""
    rows = [walk[torch.from_numpy(node.members).to(walk.device)].mean(dim=0) for node in regions]
    return torch.stack(rows).reshape(-1, *grid)


def owned(walk: Tensor, regions: list[Node], grid: tuple[int, int]) -> Tensor:
    """1 in a region's own nodes, 0 elsewhere, `(regions, rows, columns)`."""
    maps = torch.zeros(len(regions), grid[0] * grid[1])
    for number, node in enumerate(regions):
        maps[number, torch.from_numpy(node.members)] = 1
    return maps.reshape(-1, *grid)


def enlarge(maps: Tensor, size: tuple[int, int]) -> Floats:
    """Maps `(regions, rows, columns)` at the size of the picture, bilinear."""
    large = nn.functional.interpolate(maps[None].float(), size, mode="bilinear", align_corners=False)[0]
    return np.asarray(large.cpu().numpy(), np.float32)


def guided(maps: Floats, picture: Floats, radius: int) -> Floats:
    """Maps `(regions, h, w)` that follow the edges of a picture `(h, w, 3)`, 0..1.

    The guided filter with a colour guide (He, Sun and Tang 2013): in every window a map is a linear function of the
    picture's three colours. `radius` are the pixels on each side of a window.
    """
    height, width = picture.shape[:2]
    mean = _box(picture, radius)
    products = _box((picture[..., :, None] * picture[..., None, :]).reshape(height, width, 9), radius)
    spread = products.reshape(height, width, 3, 3) - mean[..., :, None] * mean[..., None, :]
    inverse = np.linalg.inv(spread + SMOOTH * np.eye(3, dtype=np.float32))
    out = []
    for one in maps:
        own = _box(one, radius)
        joint = _box(picture * one[..., None], radius) - mean * own[..., None]
        slope = np.einsum("hwij,hwj->hwi", inverse, joint).astype(np.float32)
        rest = own - (slope * mean).sum(axis=2)
        out.append((_box(slope, radius) * picture).sum(axis=2) + _box(rest, radius))
    return np.asarray(np.stack(out), np.float32)


def _box(planes: Floats, radius: int) -> Floats:
    side = 2 * radius + 1
    # OpenCV blurs four planes at a time at most.
    if planes.ndim == 3 and planes.shape[2] > 4:
        parts = [cv2.blur(np.ascontiguousarray(planes[..., n]), (side, side)) for n in range(planes.shape[2])]
        return np.asarray(np.stack(parts, axis=2), np.float32)
    return np.asarray(cv2.blur(np.ascontiguousarray(planes), (side, side)), np.float32)


def components(labels: Labels, least: int = 1, *, apart: bool = True) -> Labels:
    """Every connected part of a region (4 neighbours) as a region of its own, numbered in the order of their places.

    Parts of fewer than `least` pixels go to the neighbour they share most of their edge with. Not `apart`: only those
    move, and the numbers stay.
    """
    parts, owners = _parts(labels)
    count = len(owners)
    sizes = np.bincount(parts.ravel(), minlength=count)
    target = np.arange(count)
    if least > 1 and count > 1:
        edges = _shared_edges(parts, count)
        for part in np.argsort(sizes, kind="stable"):
            if sizes[part] >= least:
                break
            shared: dict[int, int] = {}
            for other, length in edges[part].items():
                root = _root(target, other)
                if root != part:
                    shared[root] = shared.get(root, 0) + length
            if not shared:
                continue
            into = max(shared, key=lambda one: (shared[one], -one))
            target[part] = into
            sizes[into] += sizes[part]
            edges[into] = {one: edges[into].get(one, 0) + edges[part].get(one, 0) for one in edges[into] | edges[part]}
    roots = np.array([_root(target, part) for part in range(count)])
    kept = roots[parts]
    if not apart:
        return np.asarray(owners[kept], np.int32)
    _, first, numbers = np.unique(kept, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    return np.asarray(order[numbers].reshape(labels.shape), np.int32)


def _root(target: NDArray[np.int64], part: int) -> int:
    while target[part] != part:
        part = int(target[part])
    return int(part)


def _parts(labels: Labels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    parts = np.zeros(labels.shape, np.int64)
    owners: list[int] = []
    for label in np.unique(labels):
        count, found = cv2.connectedComponents((labels == label).astype(np.uint8), connectivity=4)
        inside = found > 0
        parts[inside] = found[inside] - 1 + len(owners)
        owners += [int(label)] * (count - 1)
    return parts, np.array(owners, np.int64)


def _shared_edges(parts: NDArray[np.int64], count: int) -> list[dict[int, int]]:
    pairs = np.concatenate(
        [np.stack([a.ravel(), b.ravel()], 1) for a, b in ((parts[1:], parts[:-1]), (parts[:, 1:], parts[:, :-1]))]
    )
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    edges: list[dict[int, int]] = [{} for _ in range(count)]
    if len(pairs):
        found, lengths = np.unique(pairs, axis=0, return_counts=True)
        for (one, other), length in zip(found.tolist(), lengths.tolist(), strict=True):
            edges[one][other] = edges[other][one] = length
    return edges
