"""Segmenting a picture: shown to a diffusion model, its attention walked on and cut, regions brought to pixels."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reelmend.errors import UsageError
from reelmend.segment.affinity import Affinity, Similarity, affinity
from reelmend.segment.attention import AttentionMap, aggregate, features
from reelmend.segment.hierarchy import Hierarchy, Labels, Node, Stop, grow, own_threshold
from reelmend.segment.models import Model
from reelmend.segment.pixels import components, enlarge, guided, owned, region_maps
from reelmend.segment.seeing import Showing, see
from reelmend.segment.walk import excess, flow, power

Pixels = Literal["attention", "nodes"]

Picture = NDArray[np.float32]
"""`(h, w, 3)` red, green, blue, 0..1."""

FLAT = 1 / 255
"""A picture whose colours differ by less, in full scale, shows nothing."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a picture is cut."""

    affinity: Affinity = "attention"
    similarity: Similarity = "cosine"
    walk: int = 1
    """Steps of the walk, 1 to 64."""
    stop: Stop = "dynamic"
    threshold: float = 0.5
    """NCut above which nothing is cut, for the `constant` stop."""
    least: float = 0.005
    """Smallest region, share of the picture."""
    excess: bool | None = None
    """Whether the walk goes by what nodes look at more than others do (`walk.excess`); None: as the model asks."""
    side: int | None = None
    """Pixels: the picture is shown at about the area of a square of that side; None for the model's own."""
    pixels: Pixels = "attention"
    """What decides which region a pixel is of: where the region's nodes look on average, or the nearest nodes."""
    level: int | None = None
    """Level of the hierarchy whose regions are wanted; None for the whole partition."""
    refine: bool = False
    """Whether regions follow the picture's edges (guided filter)."""
    connected: bool = False
    """Whether every connected part is a region of its own."""
    showing: Showing = field(default_factory=Showing)


def segment(image: NDArray[np.generic], model: Model, options: Options | None = None) -> Hierarchy:
    """The regions of a picture `(h, w)` or `(h, w, 3)` (red, green, blue), unsigned integers or floats 0..1.

    Raises UsageError for a picture smaller than one of the model's patches, a model without self-attention, attention
    that is not finite, and options out of their limits.
    """
    chosen = options or Options()
    walker = walk_of(image, model, chosen)
    return cut(walker, as_picture(image), chosen, model.name)


@dataclass(frozen=True, slots=True, eq=False)
class Walker:
    """A picture as a walk between its nodes."""

    walk: Tensor
    """`(n, n)`, one step."""
    grid: tuple[int, int]
    hidden: Tensor
    """`(n, c)`, what the layers were shown."""


def walk_of(image: NDArray[np.generic], model: Model, options: Options) -> Walker:
    """The walk that a model's attention makes of a picture; errors as `segment`."""
    shown = fitted(as_picture(image), options.side or model.side, model.multiple)
    device = next(model.net.parameters()).device
    planes = torch.from_numpy(np.ascontiguousarray(shown.transpose(2, 0, 1)))[None].to(device)
    passes = see(model, planes, options.showing)
    walker = joined(passes)
    if model.excess if options.excess is None else options.excess:
        return replace(walker, walk=excess(walker.walk))
    return walker


def joined(passes: list[list[AttentionMap]]) -> Walker:
    """The mean walk of some passes."""
    walks = [aggregate(maps) for maps in passes]
    grid = max((one.grid for one in passes[0]), key=lambda one: one[0] * one[1])
    hidden = torch.stack([features(maps, grid) for maps in passes]).mean(dim=0)
    return Walker(torch.stack(walks).mean(dim=0), grid, hidden)


def cut(walker: Walker, picture: Picture, options: Options, name: str = "") -> Hierarchy:
    """The hierarchy of a walk, and the labels of its partition at the size of the picture."""
    if options.stop not in ("constant", "dynamic"):
        raise UsageError(f"no stop is called {options.stop}; known are constant, dynamic.")
    if options.pixels not in ("attention", "nodes"):
        raise UsageError(f"pixels go by attention or nodes, not {options.pixels}.")
    nodes = walker.grid[0] * walker.grid[1]
    least = max(1, math.ceil(options.least * nodes))
    if float(np.ptp(picture, axis=(0, 1)).max()) < FLAT:
        # Attention to a picture without any contrast shows the model's habits and the noise, not the picture.
        tree = Hierarchy([Node(0, np.arange(nodes))], walker.grid)
    else:
        paths = power(walker.walk, options.walk)
        tree = grow(
            affinity(paths, options.affinity, options.similarity, walker.hidden), walker.grid,
            walk=None if options.affinity == "attention" and options.walk == 1 else flow(walker.walk), least=least,
        )  # fmt: skip
        tree.threshold = own_threshold(tree) if options.stop == "dynamic" else options.threshold
    tree.facts = {"model": name, **asdict(options)}
    tree.level_labels = [to_pixels(tree.level(level), walker, picture, options) for level in range(tree.depth + 1)]
    tree.labels = tree.level_labels[-1 if options.level is None else min(options.level, tree.depth)]
    return tree


def to_pixels(regions: list[Node], walker: Walker, picture: Picture, options: Options) -> Labels:
    """Labels `(h, w)` of the regions, each pixel to the one whose map, enlarged, is highest there."""
    size = picture.shape[:2]
    if len(regions) == 1:
        return np.zeros(size, np.int32)
    make = region_maps if options.pixels == "attention" else owned
    maps = enlarge(make(walker.walk, regions, walker.grid), size)
    if options.refine:
        # As far as a node is wide: that is how far off a border may be.
        node = math.sqrt(size[0] * size[1] / (walker.grid[0] * walker.grid[1]))
        maps = guided(maps, picture, max(1, round(node)))
    labels = np.asarray(maps.argmax(axis=0), np.int32)
    least = math.ceil(options.least * labels.size)
    return components(labels, least, apart=options.connected)


def as_picture(image: NDArray[np.generic]) -> Picture:
    """Any picture as red, green, blue in 0..1. Raises UsageError for another shape or type, or values that are not
    finite."""
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    if image.ndim != 3 or image.shape[2] != 3:
        raise UsageError(f"a picture has one plane or three colours, not the shape {image.shape}.")
    if np.issubdtype(image.dtype, np.unsignedinteger):
        return np.asarray(image, np.float32) / np.float32(np.iinfo(np.dtype(image.dtype.name)).max)
    if not np.issubdtype(image.dtype, np.floating) or not np.isfinite(image).all():
        raise UsageError("a picture holds unsigned integers, or finite numbers from 0 to 1.")
    return np.asarray(image, np.float32)


def fitted(picture: Picture, side: int, multiple: int) -> Picture:
    """The picture at about the area of a square of `side`, in its own shape, sides multiples of `multiple`.

    Raises UsageError where it is smaller than one patch of `multiple` pixels.
    """
    height, width = picture.shape[:2]
    if min(height, width) < multiple:
        raise UsageError(f"the picture of {width} x {height} pixels is smaller than one patch of {multiple}.")
    scale = side / (height * width) ** 0.5
    rows, columns = (max(1, round(one * scale / multiple)) * multiple for one in (height, width))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(np.clip(cv2.resize(picture, (columns, rows), interpolation=way), 0, 1), np.float32)
