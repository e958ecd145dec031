"""Everything that is said of damage maps against true masks, gathered frame by frame."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.evaluate.bootstrap import Resampling, Statistic, intervals
from reelmend.evaluate.calibration import Reliability
from reelmend.evaluate.detection import plain_intervals
from reelmend.evaluate.sweep import Curve, Sweep, average_precision, roc_area
from reelmend.film import DamageMap, Mask


@dataclass(slots=True)
class Thresholds:
    """Gathers frames; memory grows by 8 kB a frame."""

    sweep: Sweep = field(default_factory=Sweep)
    reliability: Reliability = field(default_factory=Reliability)
    rows: list[NDArray[np.uint32]] = field(default_factory=list)
    per_frame: list[dict[str, Any]] = field(default_factory=list)

    def add(self, frame: int, damage: DamageMap, truth: Mask) -> None:
        """One frame: its number, probabilities 0..1 and the true mask, `(h, w)` both."""
        damaged, clean = self.sweep.add(damage, truth)
        self.reliability.add(damage, truth)
        # High probabilities first, as curves run.
        row = np.concatenate([damaged[::-1], clean[::-1]])
        self.rows.append(row.astype(np.uint32))
        hits, false_alarms = np.cumsum(row[: self.sweep.levels]), np.cumsum(row[self.sweep.levels :])
        own = Curve(np.zeros(0), hits, false_alarms, int(hits[-1]), int(false_alarms[-1]))
        self.per_frame.append(
            {
                "frame": frame,
                "damaged_pixels": own.positives,
                "average_precision": own.average_precision,
                "roc_area": own.roc_area,
            }
        )

    def result(self, how: Resampling | None = None) -> dict[str, Any]:
        """All figures as plain values: pooled, intervals, the best threshold, curve, reliability, every frame."""
        how = how or Resampling()
        curve, best = self.sweep.curve(), None
        if curve.best is not None:
            counts = curve.counts(curve.best)
            best = {"threshold": float(curve.thresholds[curve.best]), **counts.figures()}
            best["false_alarm_area"] = counts.false_alarm_area
        found = intervals(np.stack(self.rows), _statistics(self.sweep.levels), how) if self.rows else {}
        return {
            "frames": len(self.rows),
            "pooled": {
                "average_precision": curve.average_precision,
                "roc_area": curve.roc_area,
                "expected_calibration_error": self.reliability.expected_error,
                "brier": self.reliability.brier,
                "damaged_share": curve.positives / (curve.positives + curve.negatives) if len(self.rows) else None,
            },
            "best": best,
            "intervals": plain_intervals(found),
            "bootstrap": how.to_dict(),
            "levels": self.sweep.levels,
            "curve": {
                "positives": curve.positives,
                "negatives": curve.negatives,
                "thresholds": curve.thresholds.tolist(),
                "hits": curve.hits.tolist(),
                "false_alarms": curve.false_alarms.tolist(),
            },
            "reliability": [asdict(each) for each in self.reliability.bins()],
            "per_frame": self.per_frame,
        }


def curve_of(result: dict[str, Any]) -> Curve:
    """The curve that a result holds."""
    held = result["curve"]
    return Curve(
        np.array(held["thresholds"], np.float64),
        np.array(held["hits"], np.int64),
        np.array(held["false_alarms"], np.int64),
        int(held["positives"]),
        int(held["negatives"]),
    )


def _statistics(levels: int) -> dict[str, Statistic]:
    def along(t: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return np.cumsum(t[:, :levels], axis=1), np.cumsum(t[:, levels:], axis=1)

    return {"average_precision": lambda t: average_precision(*along(t)), "roc_area": lambda t: roc_area(*along(t))}
