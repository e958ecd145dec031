"""Restores the bundled sample clip: `python tools/demo.py demo`, or `make demo`.

The sample's damage and grain are simulated from a fixed seed, so the demo also knows the truth and prints how near the
restoration came to it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reelmend import cli
from reelmend.cli.compare import Comparison, compare
from reelmend.config import Job
from reelmend.evaluate.masks import Counts, count
from reelmend.media import open_mask_reader, open_reel
from reelmend.repair import grow
from reelmend.report.picture import to_rgb8
from reelmend.simulate.sample import Sample, build_sample

GAP = 8
"""Pixels between pictures that stand side by side."""


@dataclass(frozen=True, slots=True)
class Scores:
    """How near a restoration is to the truth."""

    before: Comparison
    """The damaged film against the clean one."""
    after: Comparison
    """The restored film against the clean one."""
    mask: Counts
    """Detected masks against true ones."""
    touched: float
    """Clean pixels inside the grown masks, soft edges of true damage among them, per million clean pixels."""


def main(folder: Path) -> int:
    """Build, restore, measure, show; the exit code of `reelmend restore`."""
    folder.mkdir(parents=True, exist_ok=True)
    print("building the sample: a clean clip, with grain and damage from a fixed seed")
    sample = build_sample(folder / "sample")
    film, masks, report = folder / "restored.mkv", folder / "masks", folder / "report"
    arguments = ["restore", str(sample.damaged), str(film), "--masks", str(masks), "--report", str(report)]
    print(f"\n$ reelmend {' '.join(arguments)}")
    code = cli.main([*arguments, "--overwrite"])
    if code:
        return code
    scores = measure(sample, film, masks)
    (folder / "scores.json").write_text(json.dumps(figures(scores), indent=1) + "\n", encoding="utf-8")
    picture = folder / "before-after.png"
    side_by_side(sample, film, masks, picture)
    print("\nagainst the truth:")
    for line in table(scores):
        print(f"  {line}")
    print(f"\nlook at {picture} and {report / 'report.html'}")
    return 0


def measure(sample: Sample, film: Path, masks: Path) -> Scores:
    """Compare film and masks with the truth."""
    total, touched, clean = Counts(), 0, 0
    px = Job.build(source=film).repair.grow
    with open_reel(sample.clean) as reel:
        facts = reel.facts
        frames = sum(1 for _ in reel.frames())
    size = facts.height, facts.width
    with open_mask_reader(sample.masks, *size) as truth, open_mask_reader(masks, *size) as found:
        for index in range(frames):
            true, detected = truth.mask(index), found.mask(index)
            total += count(detected, true)
            touched += int(np.count_nonzero(grow(detected, px) & ~true))
            clean += int(np.count_nonzero(~true))
    return Scores(
        compare(sample.clean, sample.damaged, sample.masks),
        compare(sample.clean, film, sample.masks),
        total,
        touched / clean * 1e6,
    )


def figures(scores: Scores) -> dict[str, float | None]:
    """The scores as plain numbers."""
    clean = scores.mask.false_alarms + scores.mask.clean
    return {
        "psnr_inside_damaged": scores.before.regions["inside"].psnr,
        "psnr_inside_restored": scores.after.regions["inside"].psnr,
        "psnr_damaged": scores.before.regions["everywhere"].psnr,
        "psnr_restored": scores.after.regions["everywhere"].psnr,
        **scores.mask.figures(),
        "clean_pixels_marked_per_million": 1e6 * scores.mask.false_alarms / clean if clean else None,
        "clean_pixels_touched_per_million": scores.touched,
    }


def table(scores: Scores) -> list[str]:
    """The scores for people, a line each."""
    named = figures(scores)
    shown = {name: "-" if value is None else f"{value:.2f}" for name, value in named.items()}
    return [
        f"inside the damage   {shown['psnr_inside_damaged']} dB PSNR before, {shown['psnr_inside_restored']} dB after",
        f"over the picture    {shown['psnr_damaged']} dB PSNR before, {shown['psnr_restored']} dB after",
        f"mask                Dice {shown['dice']}, precision {shown['precision']}, recall {shown['recall']}",
        f"clean pixels        {named['clean_pixels_marked_per_million']:.0f} in a million marked as damage, "
        f"{named['clean_pixels_touched_per_million']:.0f} inside the mask as repair grows it",
    ]


def side_by_side(sample: Sample, film: Path, masks: Path, target: Path) -> None:
    """The frame with most damage: damaged on the left, restored on the right."""
    import cv2

    with open_reel(sample.damaged) as before, open_reel(film) as after:
        facts = before.facts
        with open_mask_reader(masks, facts.height, facts.width) as found:
            areas = [int(np.count_nonzero(found.mask(frame.index))) for frame in after.frames()]
        worst = int(np.argmax(areas))
        pair = [to_rgb8(next(iter(reel.frames(worst, 1))), facts.colour) for reel in (before, after)]
    gap = np.full((pair[0].shape[0], GAP, 3), 28, np.uint8)
    if not cv2.imwrite(str(target), cv2.cvtColor(np.hstack([pair[0], gap, pair[1]]), cv2.COLOR_RGB2BGR)):
        raise OSError(f"{target} cannot be written")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo")))
