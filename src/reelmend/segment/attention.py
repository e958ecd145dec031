"""Self-attention out of a model as it runs, without a change to it: hooks on the layers, maps brought to one grid.

DiffSeg (Tian et al. 2024) aggregates all self-attention this way: heads averaged, keys interpolated to the finest grid
and scaled back to chances, queries repeated, layers weighted by their resolution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from reelmend.errors import UsageError
from reelmend.nets.denoiser import SelfAttention
from reelmend.segment.walk import check_stochastic, normalised

Grid = tuple[int, int]

Weights = Literal["resolution", "equal"]


@dataclass(slots=True)
class AttentionMap:
    """What one layer looked at."""

    layer: str
    chances: Tensor
    """`(n, n)`, mean over the heads; row i is where node i looks, and sums to 1."""
    hidden: Tensor
    """`(n, c)`, what the layer was shown."""
    grid: Grid = (0, 0)
    """Rows and columns of its nodes."""


@dataclass(slots=True)
class Seen:
    """Maps in the order in which the layers ran."""

    maps: list[AttentionMap] = field(default_factory=list)


def attention_layers(net: nn.Module) -> dict[str, nn.Module]:
    """The self-attention of a network by the name of the layer, in the network's order.

    Ours (`nets.denoiser.SelfAttention`), and those of diffusers, whose modules have queries, keys and heads: `attn1`
    of transformer blocks, and the attention of unconditional models. Raises UsageError where there is none.
    """
    found = {name: part for name, part in net.named_modules() if isinstance(part, SelfAttention) or _is_foreign(part)}
    if not found:
        raise UsageError("the model has no self-attention to walk on; take another model.")
    return found


def _is_foreign(part: nn.Module) -> bool:
    projected = all(isinstance(getattr(part, name, None), nn.Module) for name in ("to_q", "to_k"))
    if not projected or not hasattr(part, "heads"):
        return False
    queries, keys = part.to_q, part.to_k
    # Keys of cross-attention come from text, which has another width.
    same = getattr(queries, "in_features", 0) == getattr(keys, "in_features", 1)
    return same and not getattr(part, "is_cross_attention", False)


@contextmanager
def watch(net: nn.Module, layers: Sequence[str] | None = None) -> Iterator[Seen]:
    """Collect the maps of the layers named, or of all; a name stands for every layer that begins with it.

    Maps of one picture only: the batch must be 1. Raises UsageError for a name of none.
    """
    known = attention_layers(net)
    chosen = {name: part for name, part in known.items() if layers is None or any(map(name.startswith, layers))}
    if not chosen:
        raise UsageError(f"no self-attention is called {', '.join(layers or ())}; known are {', '.join(known)}.")
    seen = Seen()
    handles = [part.register_forward_pre_hook(_hook(name, seen), with_kwargs=True) for name, part in chosen.items()]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _hook(name: str, seen: Seen) -> Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None]:
    def keep(part: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        shown = given[0] if given else named["hidden_states"]
        # A layer that may also look at text is none of ours when it does.
        if named.get("encoder_hidden_states") is not None or (len(given) > 1 and given[1] is not None):
            return
        if len(shown) != 1:
            raise ValueError(f"attention is read of one picture at a time, not of {len(shown)}")
        with torch.no_grad():
            hidden = shown.flatten(2).transpose(1, 2) if shown.ndim == 4 else shown
            queries, keys = _ours(part, shown) if isinstance(part, SelfAttention) else _foreign(part, hidden)
            grid = (int(shown.shape[2]), int(shown.shape[3])) if shown.ndim == 4 else (0, 0)
            seen.maps.append(AttentionMap(name, mean_attention(queries, keys), hidden[0].float(), grid))

    return keep


def _ours(part: SelfAttention, shown: Tensor) -> tuple[Tensor, Tensor]:
    queries, keys, _ = part.parts(shown)
    return queries[0] / math.sqrt(queries.shape[-1]), keys[0]


def _foreign(part: Any, hidden: Tensor) -> tuple[Tensor, Tensor]:
    if getattr(part, "group_norm", None) is not None:
        hidden = part.group_norm(hidden.transpose(1, 2)).transpose(1, 2)
    apart = [one(hidden)[0].unflatten(-1, (part.heads, -1)).transpose(0, 1) for one in (part.to_q, part.to_k)]
    for number, name in enumerate(("norm_q", "norm_k")):
        norm = getattr(part, name, None)
        apart[number] = apart[number] if norm is None else norm(apart[number])
    scale = getattr(part, "scale", None) or apart[0].shape[-1] ** -0.5
    return apart[0] * scale, apart[1]


def mean_attention(queries: Tensor, keys: Tensor) -> Tensor:
    """Chances `(n, n)` of scaled queries and keys `(heads, n, d)`: softmax of each head, their mean.

    One head at a time: on large grids all of them together do not fit.
    """
    total: Tensor | None = None
    for one, other in zip(queries, keys, strict=True):
        chances = torch.softmax(one.float() @ other.float().T, dim=1)
        total = chances if total is None else total.add_(chances)
    assert total is not None
    return total / len(queries)


def lay_out(maps: Sequence[AttentionMap], picture: Grid) -> None:
    """Give maps without a grid theirs: that with the shape of the picture `(h, w)` whose nodes are as many.

    Raises UsageError where there is none.
    """
    for one in maps:
        if one.grid == (0, 0):
            one.grid = grid_of(len(one.chances), picture)


def grid_of(nodes: int, picture: Grid) -> Grid:
    """Rows and columns of `nodes` over a picture that was halved some times, odd sizes rounded up."""
    rows, columns = picture
    while rows * columns > nodes and rows * columns > 1:
        rows, columns = -(-rows // 2), -(-columns // 2)
    if rows * columns != nodes:
        raise UsageError(
            f"{nodes} nodes of attention make no grid over {picture[0]} x {picture[1]}; take another size."
        )
    return rows, columns


def aggregate(maps: Sequence[AttentionMap], grid: Grid | None = None, weights: Weights = "resolution") -> Tensor:
    """One walk `(n, n)` on one grid, the finest of the maps unless given: their mean, weighted by side or evenly.

    Raises UsageError as `walk.check_stochastic` for every map.
    """
    if not maps:
        raise UsageError("the model showed no self-attention; take other layers.")
    rows, columns = grid or max((one.grid for one in maps), key=lambda one: one[0] * one[1])
    total = torch.zeros((rows * columns, rows * columns), device=maps[0].chances.device)
    whole = 0.0
    for one in maps:
        weight = math.sqrt(len(one.chances)) if weights == "resolution" else 1.0
        total += weight * to_grid(check_stochastic(one.chances), one.grid, (rows, columns))
        whole += weight
    return check_stochastic(normalised(total / whole))


def to_grid(chances: Tensor, grid: Grid, wanted: Grid) -> Tensor:
    """A map `(n, n)` of one grid on another: keys interpolated and scaled back to chances, queries repeated."""
    if grid == wanted:
        return chances
    keys = nn.functional.interpolate(
        chances.reshape(len(chances), 1, *grid), wanted, mode="bilinear", align_corners=False
    )
    queries = nn.functional.interpolate(
        torch.arange(len(chances), dtype=torch.float64, device=chances.device).reshape(1, 1, *grid), wanted
    )
    return normalised(keys.flatten(1))[queries.flatten().long()]


def features(maps: Sequence[AttentionMap], grid: Grid) -> Tensor:
    """Hidden features of all maps on a grid, `(n, c)`: each layer's centred, of unit length, side by side."""
    parts = []
    for one in maps:
        centred = one.hidden - one.hidden.mean(dim=0)
        planes = nn.functional.normalize(centred, dim=1).T.reshape(1, -1, *one.grid)
        parts.append(nn.functional.interpolate(planes, grid, mode="bilinear", align_corners=False)[0].flatten(1).T)
    return torch.cat(parts, dim=1)
