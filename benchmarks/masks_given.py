"""Repair alone: the true mask is given, grown by so many pixels; PSNR inside the damage before grain.

python -m benchmarks.masks_given --split dev
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.clips import built
from reelmend.config import Job
from reelmend.evaluate.fidelity import low_passed_psnr, psnr
from reelmend.media import open_reel
from reelmend.pipeline.frames import FrameWorker
from reelmend.pipeline.stream import Clock


def score(clip: Path, grow: int) -> tuple[float, float]:
    """Luma PSNR inside the damage, plain and with the error low-passed, dB; mean over frames."""
    job = Job.build(None, source=clip, grow=grow, regrain=False)
    with open_reel(clip / "truth.mkv") as reel:
        truth = [frame.planes[0] == 255 for frame in reel.frames()]
    with open_reel(clip / "clean.mkv") as reel:
        clean = [frame.planes[0] for frame in reel.frames()]
    worker = FrameWorker(job, Clock(), truth.__getitem__, repairs=True)
    figures = []
    with open_reel(clip / "damaged.mkv") as reel, ThreadPoolExecutor(2) as pool:
        for outcome in worker.run(reel.frames(), 0, pool):
            index = outcome.before.index
            pictures = outcome.after.planes[0], clean[index]
            if truth[index].any():
                inside = psnr(*pictures, 255, truth[index]), low_passed_psnr(*pictures, 255, truth[index])
                figures.append(inside)
    plain, low = np.mean(np.array(figures, np.float64), axis=0)
    return float(plain), float(low)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--split", default="dev", choices=("dev", "test"))
    parser.add_argument("--grow", type=int, nargs="*", default=[0, 1, 2, 3])
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        for grow in options.grow:
            scores = np.array([score(clip, grow) for clip in built(options.out, options.split)])
            print(f"grow {grow}: {scores[:, 0].mean():.2f} dB, low-passed {scores[:, 1].mean():.2f} dB", flush=True)


if __name__ == "__main__":
    main()
