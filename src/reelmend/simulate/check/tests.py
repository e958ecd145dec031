"""Two-sample tests, with how far apart two samples are beside whether they differ at all.

With thousands of shapes every difference is significant, so a p-value says little. The distance says more, and the
yardstick says most: how far one real scan lies from the other real scans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST = 8
"""Values in a sample for it to be compared by itself."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One statistic of one kind of damage, real against simulated."""

    statistic: str
    real: int
    """Real values."""
    simulated: int
    distance: float
    """Kolmogorov-Smirnov distance of all real from all simulated values, 0..1."""
    p_value: float
    """Of the Kolmogorov-Smirnov test; values of one scan are not independent, so it is too small."""
    anderson: float
    """Anderson-Darling statistic of the same two samples, in standard deviations above its mean (F. W. Scholz and
    M. A. Stephens, "K-sample Anderson-Darling tests", J. American Statistical Association 82, 1987)."""
    shift: float
    """Mean simulated minus mean real, in real standard deviations (Glass's delta)."""
    by_scan: float | None
    """Mean over the scans of the distance of a scan's real values from those simulated without knowing the scan."""
    yardstick: float | None
    """Mean over the same scans of the distance of a scan's real values from those of all other real scans."""
    quantiles: tuple[tuple[float, ...], tuple[float, ...]]
    """5, 25, 50, 75 and 95 % of the real and of the simulated values."""


def distance(one: Floats, other: Floats) -> float:
    """Largest gap between two empirical distribution functions (Kolmogorov-Smirnov), 0..1."""
    both = np.sort(np.concatenate([one, other]))
    shares = [np.searchsorted(np.sort(sample), both, side="right") / len(sample) for sample in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


def compare(statistic: str, real: Mapping[str, Floats], simulated: Mapping[str, Floats]) -> Comparison | None:
    """Compares a statistic by scan; `simulated[scan]` was drawn from a fit without that scan.

    None when there are fewer than `FEWEST` values on either side.
    """
    all_real, all_simulated = (_joined(sample) for sample in (real, simulated))
    if min(len(all_real), len(all_simulated)) < FEWEST:
        return None
    from scipy.stats import ks_2samp

    scans = [scan for scan in real if len(real[scan]) >= FEWEST and len(simulated.get(scan, ())) >= FEWEST]
    others = {scan: _joined({name: values for name, values in real.items() if name != scan}) for scan in scans}
    scans = [scan for scan in scans if len(others[scan]) >= FEWEST]
    spread = float(all_real.std())
    return Comparison(
        statistic=statistic,
        real=len(all_real),
        simulated=len(all_simulated),
        distance=distance(all_real, all_simulated),
        p_value=float(ks_2samp(all_real, all_simulated, method="asymp").pvalue),
        anderson=_anderson(all_real, all_simulated),
        shift=(float(all_simulated.mean()) - float(all_real.mean())) / spread if spread > 0 else 0.0,
        by_scan=float(np.mean([distance(real[scan], simulated[scan]) for scan in scans])) if scans else None,
        yardstick=float(np.mean([distance(real[scan], others[scan]) for scan in scans])) if scans else None,
        quantiles=(_quantiles(all_real), _quantiles(all_simulated)),
    )


def _anderson(one: Floats, other: Floats) -> float:
    import warnings

    from scipy.stats import anderson_ksamp

    if len(np.unique(np.concatenate([one, other]))) < 2:
        return 0.0
    with warnings.catch_warnings():
        # SciPy warns that its own p-value, which is not used, leaves its table.
        warnings.simplefilter("ignore")
        return float(anderson_ksamp([one, other]).statistic)


def _joined(sample: Mapping[str, Floats]) -> Floats:
    return np.concatenate(list(sample.values())) if sample else np.zeros(0)


def _quantiles(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]))


CELL = 3000.0
"""Side of a square cell in which defects are counted, micrometres: about ninety on a scan."""


def cell_counts(places: Floats, width: float, height: float) -> Floats:
    """Defects in each whole cell of a scan of `width` x `height` micrometres, `(cells,)`; `places` is `(n, 2)`."""
    columns, rows = int(width // CELL), int(height // CELL)
    counts, _, _ = np.histogram2d(
        places[:, 0], places[:, 1], bins=(columns, rows), range=((0, columns * CELL), (0, rows * CELL))
    )
    return counts.ravel()


def nearest(places: Floats) -> Floats:
    """Distance from each place `(n, 2)` to the nearest other, `(n,)`; empty for fewer than two."""
    if len(places) < 2:
        return np.zeros(0)
    from scipy.spatial import cKDTree

    found, _ = cKDTree(places).query(places, k=2)
    return np.asarray(found[:, 1], dtype=np.float64)


def over_scans(samples: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """Several draws for each scan, joined."""
    names = {name for sample in samples for name in sample}
    return {name: np.concatenate([sample[name] for sample in samples if name in sample]) for name in sorted(names)}
