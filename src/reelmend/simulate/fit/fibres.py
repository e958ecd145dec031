"""Fitting the model of hairs and scratches to annotated polygons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.fit.outlined import outlined
from reelmend.simulate.fit.spine import NODES, Spine, find_spines
from reelmend.simulate.kinds.fibre import (
    SECTORS,
    TABLE,
    TRAITS,
    FibreStyle,
    direction,
    sample_fibre,
)
from reelmend.simulate.outlines import MICROMETRES_PER_PIXEL, Outline, Points, polygon_area

ROUNDS = 4
"""Of calibration."""

TRIAL = (40, 240)
"""Fibres simulated in a round of calibration, fewest and most; three times as many as there are real ones between."""

SHRINK = 12.0
"""Shapes by which correlations are drawn towards none: with n shapes they are taken n / (n + SHRINK) times."""

CRUMBS, CRUMBS_FOR_SPIKE, MOST_CRUMBS = 2.0, 10.0, 8.0
"""Crumbs a millimetre: where calibration begins, how many more make the mean spike larger by one, the most."""

PRIOR = 6.0
"""Shapes that are taken to lie in any direction, beside those found."""

Floats = NDArray[np.float64]


def fit_fibres(outlines: Sequence[Outline]) -> Mapping[str, Any]:
    """Numbers of `kinds.fibre` for the outlines of one kind; the same outlines give the same numbers.

    An annotated polygon shows a fibre through its few corners, which shortens, straightens and roughens it. So the
    model is calibrated (indirect inference, C. Gourieroux et al., J. Applied Econometrics 8, 1993): fibres drawn from
    it are outlined as the annotators did, measured as the real ones were, and the model moved until both measure
    alike. Raises ValueError for fewer than three outlines.
    """
    if len(outlines) < 3:
        raise ValueError(f"a model of fibres is fitted to three shapes at least; there are {len(outlines)}")
    traced = [is_traced(outline) for outline in outlines]
    groups = [
        [one for one, machine in zip(outlines, traced, strict=True) if machine is style] for style in (True, False)
    ]
    if min(len(group) for group in groups) < FEWEST:
        groups = [list(outlines) if len(group) == max(map(len, groups)) else [] for group in groups]
    styles = [
        {"share": round(len(group) / len(outlines), 4), "traced": int(style)}
        | calibrate(measure_fibres(group), outlines[0].kind, style)
        for group, style in zip(groups, (True, False), strict=True)
        if group
    ]
    return {"styles": styles}


FEWEST = 16
"""Shapes that make a style of their own."""

THINNEST = 0.5
"""Logarithm of micrometres: no fibre is thinner."""

FINE = 9 * MICROMETRES_PER_PIXEL


def is_traced(outline: Outline) -> bool:
    """Whether a machine traced the outline: it runs as OpenCV's contours do (counter-clockwise as seen), with corners
    close together. A person who clicks goes round either way, and with longer steps."""
    polygon = _largest(outline)
    x, y = polygon[:, 0], polygon[:, 1]
    runs = float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    step = float(np.linalg.norm(polygon - np.roll(polygon, 1, axis=0), axis=1).mean())
    return runs < 0 and step < FINE


class Measured:
    """Traits of one polygon; the same for a real and for a simulated one."""

    __slots__ = ("direction", "ripple_pairs", "spike", "tips", "traits", "turns")

    def __init__(self, polygon: Points, spine: Spine) -> None:
        perimeter = float(np.linalg.norm(polygon - np.roll(polygon, 1, axis=0), axis=1).sum())
        step = perimeter / len(polygon)
        width = polygon_area(polygon) / spine.length
        steps = max(round(spine.length / step), 2)
        at, nodes = np.linspace(0, NODES - 1, steps + 1), np.arange(NODES)
        knots = np.stack([np.interp(at, nodes, spine.points[:, 0]), np.interp(at, nodes, spine.points[:, 1])], axis=1)
        edge = np.diff(knots, axis=0)
        turns = np.diff(np.unwrap(np.arctan2(edge[:, 1], edge[:, 0])))
        self.turns: Floats = turns - turns.mean()
        across = np.log(np.interp(at, nodes, spine.width)[1:-1] / width + 0.05)
        reach = 0.5 * width / spine.length * (NODES - 1)
        self.tips = (
            float(np.interp(reach, nodes, spine.width) / width),
            float(np.interp(reach, nodes, spine.width[::-1]) / width),
        )
        self.traits: Floats = np.array(
            [
                np.log(spine.length),
                np.log(width),
                np.log(step),
                np.sqrt((turns**2).mean()),
                abs(turns.sum()),
                across.std(),
                sum(self.tips) / 2,
            ]
        )
        self.ripple_pairs = across - across.mean()
        self.spike = float(np.log(spine.width[4:-4].max() / np.median(spine.width)))
        """How far something sticks out at one place of the fibre."""
        self.direction = direction(spine.points)


_KNOWN: dict[bytes, Measured] = {}


def measure_fibres(outlines: Sequence[Outline]) -> list[Measured]:
    """Of the largest part of each, remembered: a leave-one-out check measures the same shapes many times."""
    polygons = {largest.tobytes(): largest for largest in map(_largest, outlines)}
    fresh = {key: polygon for key, polygon in polygons.items() if key not in _KNOWN}
    _KNOWN.update(zip(fresh, _measure(list(fresh.values())), strict=True))
    return [_KNOWN[_largest(outline).tobytes()] for outline in outlines]


def _measure(polygons: Sequence[Points]) -> list[Measured]:
    return [Measured(*one) for one in zip(polygons, find_spines(polygons), strict=True)]


def _largest(outline: Outline) -> Points:
    return max(outline.parts, key=polygon_area)


def calibrate(found: Sequence[Measured], kind: Any, traced: bool) -> dict[str, Any]:
    """The model whose outlined fibres measure as `found` do."""
    wanted = _summary(found)
    tables, scores = wanted["tables"].copy(), wanted["scores"].copy()
    follow, ripple, spread = wanted["follow"], wanted["ripple"], wanted["spread"]
    crumbs = CRUMBS if traced else 0.0
    numbers = _numbers(wanted, tables, scores, follow, ripple, spread, crumbs, len(found))
    trial = int(np.clip(3 * len(found), *TRIAL))
    for number in range(ROUNDS):
        rng = np.random.default_rng(number)
        model = FibreStyle.of({"share": 1.0, "traced": traced} | numbers)
        fibres = [sample_fibre(rng, model) for _ in range(trial)]
        drawn = _measure([outlined(fibre, rng, kind, MICROMETRES_PER_PIXEL).parts[0] for fibre in fibres])
        got = _summary(drawn)
        gain = 0.8 if number < ROUNDS - 2 else 0.4
        tables += gain * (wanted["tables"] - got["tables"])
        tables[2] = np.clip(tables[2], wanted["tables"][2] - 0.5, wanted["tables"][2] + 0.5)
        tables[1] = np.maximum(tables[1], THINNEST)
        # Traits that roughening adds to are pushed down by calibration; none is pushed out of what was seen.
        tables[3:] = np.minimum(tables[3:], 1.1 * wanted["tables"][3:, -1:])
        tables[:, 1:] = np.maximum.accumulate(tables, axis=1)[:, 1:]
        scores += gain * (wanted["scores"] - got["scores"])
        follow += gain * (wanted["follow"] - got["follow"])
        ripple += gain * (wanted["ripple"] - got["ripple"])
        spread = max(spread + gain * (wanted["spread"] - got["spread"]), 0.0)
        if traced:
            # Somebody who clicks round a hair leaves its crumbs out.
            crumbs = float(np.clip(crumbs + gain * CRUMBS_FOR_SPIKE * (wanted["spike"] - got["spike"]), 0, MOST_CRUMBS))
        numbers = _numbers(wanted, tables, scores, follow, ripple, spread, crumbs, len(found))
    return numbers


def _summary(found: Sequence[Measured]) -> dict[str, Any]:
    traits = np.stack([one.traits for one in found])
    ranks = traits.argsort(axis=0).argsort(axis=0)
    turns = [one.turns for one in found if len(one.turns) > 3]
    ripples = [one.ripple_pairs for one in found if len(one.ripple_pairs) > 3]
    return {
        "tables": np.quantile(traits, TABLE, axis=0).T,
        "scores": np.corrcoef(_scores((ranks + 0.5) / len(traits)).T),
        "turns": np.quantile(np.concatenate([_unit(turn) for turn in turns]), TABLE) if turns else None,
        "follow": _lag(turns),
        "ripple": _lag(ripples),
        "spread": float(np.std([np.log((one.tips[0] + 0.05) / (one.tips[1] + 0.05)) for one in found]) / np.sqrt(2)),
        "spike": float(np.mean([one.spike for one in found])),
        "directions": np.histogram([one.direction for one in found], SECTORS, (0, np.pi))[0],
    }


def _numbers(
    wanted: Mapping[str, Any],
    tables: Floats,
    scores: Floats,
    follow: float,
    ripple: float,
    spread: float,
    crumbs: float,
    count: int,
) -> dict[str, Any]:
    turns = wanted["turns"] if wanted["turns"] is not None else _scores(np.clip(TABLE, 0.02, 0.98))
    turns = (turns - turns[::-1]) / 2  # either way alike
    share = wanted["directions"] + PRIOR / SECTORS
    return {
        "traits": {trait: _plain(table) for trait, table in zip(TRAITS, tables, strict=True)},
        "correlation": [_plain(row) for row in _correlation(scores * (count / (count + SHRINK)))],
        "turns": _plain(turns),
        "turn_follows": round(float(np.clip(follow, -0.6, 0.9)), 4),
        "ripple_follows": round(float(np.clip(ripple, -0.6, 0.9)), 4),
        "tip_spread": round(float(spread), 4),
        "crumbs": round(crumbs, 4),
        "directions": _plain(share / share.sum()),
    }


def _correlation(scores: Floats) -> Floats:
    """The nearest proper correlation matrix, nearly: negative eigenvalues lifted, the diagonal made 1."""
    square = scores.copy()
    np.fill_diagonal(square, 1.0)
    values, vectors = np.linalg.eigh((square + square.T) / 2)
    square = vectors @ np.diag(np.maximum(values, 0.02)) @ vectors.T
    scale = np.sqrt(np.diag(square))
    return np.asarray(square / scale[:, None] / scale[None, :])


def _unit(values: Floats) -> Floats:
    return np.asarray(values / max(float(np.sqrt((values**2).mean())), 1e-9))


def _lag(series: Sequence[Floats]) -> float:
    above = sum(float((one[1:] * one[:-1]).sum() / max((one**2).sum(), 1e-12)) for one in series)
    return above / max(len(series), 1)


def _scores(shares: Floats) -> Floats:
    from scipy.special import ndtri

    return np.asarray(ndtri(shares))


def _plain(values: Floats) -> list[float]:
    return [round(float(value), 4) for value in values]
