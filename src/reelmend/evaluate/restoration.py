"""Everything that is said of a restored film against the clean one, gathered frame by frame.

No perceptual distance (LPIPS, DISTS) is among the figures: their networks' weights come from the network when first
used, not with a package, and what cannot be installed with the rest is not claimed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.evaluate.bootstrap import Resampling, Statistic, intervals, quotient
from reelmend.evaluate.detection import plain_intervals
from reelmend.evaluate.fidelity import decibels, low_passed_error, ssim_parts
from reelmend.evaluate.grain import GrainPair, flat_picture, grown
from reelmend.evaluate.multiscale import ms_ssim_of_regions
from reelmend.evaluate.outside import Difference, outside_differences, touched
from reelmend.evaluate.stability import Stability
from reelmend.film import Frame, Mask
from reelmend.motion.luma import luma8

REGIONS = ("everywhere", "inside", "outside")

LUMA = (0.2126, 0.7152, 0.0722)
"""Weights of red, green and blue (ITU-R BT.709-6, 3.2)."""

SOFT_EDGE = 2
"""Pixels around damage that are neither damaged enough to be in the mask nor clean."""


@dataclass(slots=True)
class Region:
    """Sums over one region of the frames added so far."""

    squared: float = 0.0
    """Squared errors of the samples of all colour planes, each of its full scale."""
    samples: int = 0
    squared_smooth: float = 0.0
    """Of luma after a Gaussian blur: what remains of errors when grain is left out."""
    ssim: float = 0.0
    pixels: int = 0
    ms_ssim: float = 0.0
    scaled: int = 0
    """Frames on which MS-SSIM is defined."""

    def add(self, other: Region) -> None:
        """Add another's sums."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def row(self) -> list[float]:
        """The sums in the order of the fields, as the statistics read them."""
        return [float(getattr(self, name)) for name in self.__slots__]

    def figures(self) -> dict[str, float | None]:
        """PSNR in dB (infinite for identical samples), SSIM and MS-SSIM; None where nothing was measured."""
        return {
            "psnr": decibels(self.squared / self.samples, 1.0) if self.samples else None,
            "psnr_low_passed": decibels(self.squared_smooth / self.pixels, 1.0) if self.pixels else None,
            "ssim": self.ssim / self.pixels if self.pixels else None,
            "ms_ssim": self.ms_ssim / self.scaled if self.scaled else None,
        }


@dataclass(slots=True)
class Fidelity:
    """How near a film is to the clean one, by region."""

    regions: dict[str, Region] = field(default_factory=lambda: {name: Region() for name in REGIONS})

    def add(self, film: Frame, clean: Frame, luma: NDArray[Any], clean_luma: NDArray[Any], mask: Mask) -> Fidelity:
        """One frame; what it alone adds."""
        made = Fidelity()
        for number in range(film.layout.colour_planes):
            squared = (_scaled(film, number) - _scaled(clean, number)) ** 2
            inside = touched(mask, *film.layout.subsampling(number))
            for name, where in _split(inside).items():
                made.regions[name].squared += float(squared[where].sum())
                made.regions[name].samples += int(np.count_nonzero(where))
        parts = ssim_parts(luma, clean_luma, 1.0)
        similar = parts[0] * parts[1]
        smooth = low_passed_error(luma, clean_luma) ** 2
        scaled = ms_ssim_of_regions(luma, clean_luma, 1.0, [None, mask, ~mask], parts)
        for (name, where), value in zip(_split(mask).items(), scaled, strict=True):
            region = made.regions[name]
            region.squared_smooth += float(smooth[where].sum())
            region.ssim += float(similar[where].sum())
            region.pixels += int(np.count_nonzero(where))
            if value is not None:
                region.ms_ssim += value
                region.scaled += 1
        for name in REGIONS:
            self.regions[name].add(made.regions[name])
        return made

    def figures(self) -> dict[str, dict[str, float | None]]:
        """By region."""
        return {name: region.figures() for name, region in self.regions.items()}


@dataclass(slots=True)
class Restoration:
    """Gathers frames; memory grows by a few numbers a frame."""

    grow: int = 2
    """Pixels by which masks were grown before repair: for grain within repairs and what must be identical outside."""
    fidelity: Fidelity = field(default_factory=Fidelity)
    before: Fidelity | None = None
    """Of the damaged film; None as long as none was given."""
    grain: GrainPair = field(default_factory=GrainPair)
    stability: Stability = field(default_factory=Stability)
    outside: dict[str, Difference] | None = None
    """By plane; None where there was no damaged film of the same type of samples."""
    rows: list[list[float]] = field(default_factory=list)
    per_frame: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        result: Frame,
        clean: Frame,
        mask: Mask,
        damaged: Frame | None = None,
        changed: Mask | None = None,
        cut: bool = False,
    ) -> float:
        """One frame of each film, planes of one arrangement; its squared error inside, a pixel, for finding the worst.

        Args:
            result: the restored frame.
            clean: the truth.
            mask: the true damage `(h, w)`.
            damaged: the frame before restoration.
            changed: the mask that the restorer was to keep to; `mask` where None.
            cut: a new shot begins.
        """
        luma, clean_luma = plain_luma(result), plain_luma(clean)
        added = self.fidelity.add(result, clean, luma, clean_luma, mask)
        entry: dict[str, Any] = {"frame": result.index, "damaged_pixels": int(np.count_nonzero(mask))}
        entry |= {
            f"{name}_{region}": value
            for region in ("inside", "everywhere")
            for name, value in added.figures()[region].items()
            if name in ("psnr", "ssim")
        }
        if damaged is not None:
            self.before = self.before or Fidelity()
            before = self.before.add(damaged, clean, plain_luma(damaged), clean_luma, mask)
            entry["psnr_inside_before"] = before.figures()["inside"]["psnr"]
            if damaged.layout.dtype == result.layout.dtype and damaged.layout.planes == result.layout.planes:
                self._check_outside(result, damaged, mask if changed is None else changed)
        # Damage that was left would pass for grain, inside and around: only what was found and repaired is judged.
        repaired = mask if changed is None else mask & grown(changed, self.grow)
        self.grain.add(luma, repaired, flat_picture(clean_luma) & (repaired | ~grown(mask, SOFT_EDGE)))
        steps = self.stability.add(luma, clean_luma, luma8(clean), mask, cut)
        row = [value for name in REGIONS for value in added.regions[name].row()]
        stable = steps[1] if steps is not None else None
        row += [stable.squared, stable.visible, stable.change, stable.pixels] if stable else [0.0] * 4
        self.rows.append(row)
        self.per_frame.append(entry)
        inside = added.regions["inside"]
        return inside.squared / inside.samples if inside.samples else 0.0

    def _check_outside(self, result: Frame, damaged: Frame, mask: Mask) -> None:
        gathered = self.outside = self.outside or {}
        for name, found in outside_differences(result, damaged, mask, self.grow).items():
            gathered[name] = gathered.get(name, Difference()) + found

    def result(self, how: Resampling | None = None) -> dict[str, Any]:
        """All figures as plain values."""
        how = how or Resampling()
        stability = self.stability
        return {
            "frames": len(self.rows),
            "pooled": {
                **self.fidelity.figures(),
                "grain": {
                    "variance_ratio": self.grain.variance_ratio,
                    "spectrum_distance_db": self.grain.spectrum_distance,
                },
                "stability": {
                    "everywhere": stability.everywhere.figures(),
                    "inside": stability.inside.figures(),
                    "light_flicker": stability.light_flicker,
                    "steps": stability.steps,
                },
                "outside_check": _outside(self.outside, self.grow),
            },
            "before": self.before.figures() if self.before else None,
            "intervals": plain_intervals(intervals(self.rows, STATISTICS, how) if self.rows else {}),
            "bootstrap": how.to_dict(),
            "per_frame": self.per_frame,
        }


def plain_luma(frame: Frame) -> NDArray[np.float64]:
    """Luma of a frame `(h, w)`, 0..1 of full scale, at its own depth: no rounding, no gamma."""
    planes = [_scaled(frame, number) for number in range(3 if frame.layout.family == "rgb" else 1)]
    return planes[0] if len(planes) == 1 else np.tensordot(LUMA, np.stack(planes), axes=1)


def _scaled(frame: Frame, number: int) -> NDArray[np.float64]:
    """A plane as shares of full scale; what is no number counts as 0."""
    plane = frame.planes[number].astype(np.float64)
    return (np.nan_to_num(plane) if frame.layout.is_float else plane) / frame.layout.peak


def _split(inside: Mask) -> dict[str, Mask]:
    return {"everywhere": np.ones_like(inside), "inside": inside, "outside": ~inside}


def _outside(found: dict[str, Difference] | None, grow: int) -> dict[str, Any] | None:
    if found is None:
        return None
    whole = sum(found.values(), Difference())
    planes = {name: {"samples": each.samples, "differing": each.differing} for name, each in found.items()}
    return {
        "identical": whole.identical,
        "samples": whole.samples,
        "differing": whole.differing,
        "planes": planes,
        "grow": grow,
    }


def _psnr(region: int, squared: str, samples: str) -> Statistic:
    columns = [region * len(Region.__slots__) + list(Region.__slots__).index(name) for name in (squared, samples)]

    def figure(t: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(divide="ignore"):
            return -10 * np.log10(quotient(t[:, columns[0]], t[:, columns[1]]))

    return figure


def _mean(region: int, total: str, number: str) -> Statistic:
    columns = [region * len(Region.__slots__) + list(Region.__slots__).index(name) for name in (total, number)]
    return lambda t: quotient(t[:, columns[0]], t[:, columns[1]])


STATISTICS: dict[str, Statistic] = {
    "warping_error_inside": lambda t: quotient(t[:, -4], t[:, -3]),
    "flicker_inside": lambda t: quotient(t[:, -2], t[:, -1]),
}
"""The pooled figures as functions of summed rows, for bootstrap intervals."""
for _number, _name in enumerate(REGIONS):
    STATISTICS[f"psnr_{_name}"] = _psnr(_number, "squared", "samples")
    STATISTICS[f"psnr_low_passed_{_name}"] = _psnr(_number, "squared_smooth", "pixels")
    STATISTICS[f"ssim_{_name}"] = _mean(_number, "ssim", "pixels")
    STATISTICS[f"ms_ssim_{_name}"] = _mean(_number, "ms_ssim", "scaled")
