"""`reelmend compare`: how far two reels of one size differ, inside and outside masks, frame by frame."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelmend.config import Job
from reelmend.errors import UsageError
from reelmend.film import Frame, Mask, ReelFacts

if TYPE_CHECKING:
    from reelmend.media.promise import Reel

REGIONS = ("everywhere", "inside", "outside")


@dataclass(slots=True)
class Tally:
    """Squared errors and similarities added up over the frames of a reel."""

    squared: float = 0.0
    """Sum over samples of all colour planes, each in units of its full scale."""
    samples: int = 0
    ssim: float = 0.0
    """Sum over pixels of luma, of the planes' mean for RGB."""
    pixels: int = 0
    differing: int = 0

    @property
    def psnr(self) -> float | None:
        """Decibels; infinite for identical samples, None for no samples."""
        if not self.samples:
            return None
        return -10 * math.log10(self.squared / self.samples) if self.squared else math.inf

    def to_dict(self) -> dict[str, Any]:
        """Plain values; an infinite PSNR is the text `inf`, which JSON has no number for."""
        value = self.psnr
        return {
            "psnr": "inf" if value == math.inf else None if value is None else round(value, 4),
            "ssim": round(self.ssim / self.pixels, 6) if self.pixels else None,
            "samples": self.samples,
            "differing": self.differing,
        }


@dataclass(slots=True)
class Comparison:
    """What `compare` found."""

    frames: int = 0
    regions: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in REGIONS})
    masked: bool = False


def show(a: Path, b: Path, masks: Path | None, grow: int | None, as_json: bool) -> None:
    """Compare and print. Raises UsageError where sizes, pixel formats or counts differ."""
    px = Job.build(source=a, grow=grow).repair.grow
    found = compare(a, b, masks, px)
    names = REGIONS if found.masked else REGIONS[:1]
    identical = None if not found.masked else found.regions["outside"].differing == 0
    if as_json:
        made: dict[str, Any] = {"a": str(a), "b": str(b), "frames": found.frames}
        made |= {name: found.regions[name].to_dict() for name in names}
        made["identical"] = found.regions["everywhere"].differing == 0
        made["identical_outside"] = identical
        made |= {"masks": str(masks), "grow": px} if found.masked else {}
        print(json.dumps(made, indent=1))
        return
    print(f"{found.frames} frames")
    for name in names:
        tally = found.regions[name]
        psnr = "-" if tally.psnr is None else "identical" if tally.psnr == math.inf else f"{tally.psnr:.2f} dB"
        ssim = f"{tally.ssim / tally.pixels:.4f}" if tally.pixels else "-"
        share = f"{tally.differing / tally.samples * 1e6:.0f} per million" if tally.samples else "-"
        print(f"{name:<11} PSNR {psnr:<10} SSIM {ssim:<7} samples that differ {share}")
    if identical is not None:
        print(f"identical outside the mask grown by {px} px: {'yes' if identical else 'no'}")


def compare(a: Path, b: Path, masks: Path | None = None, grow: int = 0) -> Comparison:
    """PSNR and SSIM of reel `b` against reel `a`, over all of the picture and inside and outside grown masks.

    Frames are compared in the order they come, sample by sample at their own depth; alpha is left out. Raises
    UsageError where size, pixel layout or number of frames differ.
    """
    from reelmend.media import open_mask_reader, open_reel

    with ExitStack() as stack:
        reels = [stack.enter_context(open_reel(path)) for path in (a, b)]
        first, second = reels[0].facts, reels[1].facts
        check(first, second)
        given = stack.enter_context(open_mask_reader(masks, first.height, first.width)) if masks else None
        found = Comparison(masked=given is not None)
        for one, two in paired(reels[0], reels[1]):
            add(found, one, two, given.mask(one.index) if given else None, grow)
            found.frames += 1
    return found


def check(a: ReelFacts, b: ReelFacts) -> None:
    """Raises UsageError unless frames of the two reels can be compared sample by sample."""
    if (a.width, a.height) != (b.width, b.height):
        raise UsageError(
            f"{a.path} is {a.width}x{a.height} and {b.path} is {b.width}x{b.height}; compare reels of one size"
        )
    if a.frames is not None and b.frames is not None and a.frames != b.frames:
        raise UsageError(f"{a.path} has {a.frames} frames and {b.path} has {b.frames}; compare reels of one length")


def paired(a: Reel, b: Reel) -> Iterator[tuple[Frame, Frame]]:
    """Frames of both side by side. Raises UsageError where one ends before the other, or planes do not match."""
    ones, twos = a.frames(), b.frames()
    count = 0
    while True:
        one, two = next(ones, None), next(twos, None)
        if one is None and two is None:
            return
        if one is None or two is None:
            short, long = (a, b) if one is None else (b, a)
            raise UsageError(
                f"{short.facts.path} ends after {count} frames and {long.facts.path} goes on; "
                "compare reels of one length"
            )
        if [plane.shape for plane in colour(one)] != [plane.shape for plane in colour(two)]:
            raise UsageError(
                f"{a.facts.path} is {a.facts.pixel_format} and {b.facts.path} is {b.facts.pixel_format}; "
                "compare reels of one family of pixels, with the same chroma subsampling"
            )
        count += 1
        yield one, two


def add(found: Comparison, one: Frame, two: Frame, mask: Mask | None, px: int) -> None:
    """Add a pair of frames to the tallies."""
    import numpy as np

    from reelmend.evaluate.fidelity import ssim_map
    from reelmend.repair.grow import footprint_touches, grow

    grown = None if mask is None else grow(mask, px)
    whole = np.ones((one.height, one.width), bool)
    # Different depths of one picture compare on the scale 0..1; equal depths also sample by sample, exactly.
    scale = one.layout.peak, two.layout.peak
    structural = range(1) if one.layout.family != "rgb" else range(3)
    for number, (p, q) in enumerate(zip(colour(one), colour(two), strict=True)):
        x, y = p.astype(np.float64) / scale[0], q.astype(np.float64) / scale[1]
        squared = np.nan_to_num((x - y) ** 2)
        differs = p != q if p.dtype == q.dtype and scale[0] == scale[1] else x != y
        if p.dtype.kind == "f":
            differs &= ~(np.isnan(p) & np.isnan(q))
        similar = ssim_map(y, x, 1.0) if number in structural else None
        regions = {"everywhere": whole[: p.shape[0], : p.shape[1]]}
        if grown is not None:
            touched = footprint_touches(grown, *one.layout.subsampling(number))
            regions |= {"inside": touched, "outside": ~touched}
        for name, where in regions.items():
            tally = found.regions[name]
            tally.squared += float(squared[where].sum())
            tally.samples += int(np.count_nonzero(where))
            tally.differing += int(np.count_nonzero(differs & where))
            if similar is not None:
                tally.ssim += float(similar[where].sum())
                tally.pixels += int(np.count_nonzero(where))


def colour(frame: Frame) -> tuple[Any, ...]:
    """The planes that carry picture."""
    return frame.planes[: frame.layout.colour_planes]
