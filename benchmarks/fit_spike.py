"""Train the trees of the `spike` detector: blobs of simulated damage against everything else that looks like it.

    python -m benchmarks.fit_spike --rounds 22 --out src/reelmend/weights

Footage is shrunk, given grain, weave, flicker, skipped frames and sometimes compression, all at random, then damaged
with real outlines; look-alikes (things that fly past, glints, swinging limbs) are put in front of the camera first. No
clip and no scan of the `test` split of `benchmarks.clips` is read. Writes `spike.npz` and the weight card
`spike.json`, with the scores of clips left out of the fit in turn.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.clips import SCANS, data_folder
from benchmarks.lookalikes import draw_limbs, sample_flyers, sample_glints, sample_limbs
from benchmarks.video import read_rgb
from reelmend.detect.candidates import find_candidates
from reelmend.detect.features import FEATURES, Blobs
from reelmend.detect.recurrence import add_recurrence, add_trail
from reelmend.detect.trees import Trees
from reelmend.film import Frame, Layout
from reelmend.motion.cuts import shots
from reelmend.motion.picture import picture
from reelmend.motion.windows import windows
from reelmend.simulate.damage import TRUTH_ALPHA, damage_frame
from reelmend.simulate.grain import Grain, add_grain
from reelmend.simulate.outlines import Outline, read_scans
from reelmend.simulate.pool import PoolRecipe, draw, sample_defects

# Terms: sam2 Apache-2.0; sample-videos (*.mkv) CC-BY-4.0; Pexels free use; vmaf_resource BSD-2-Clause-Patent.
CLIPS = {
    "01_dog.mp4": "Apache-2.0",
    "02_cups.mp4": "Apache-2.0",
    "bedroom.mp4": "Apache-2.0",
    "again.mkv": "CC-BY-4.0",
    "bird.mkv": "CC-BY-4.0",
    "book.mkv": "CC-BY-4.0",
    "brother.mkv": "CC-BY-4.0",
    "eat.mkv": "CC-BY-4.0",
    "Seeking_30_480_1050.mp4": "BSD-2-Clause-Patent",
    "boxer-punching-towards-camera.mp4": "Pexels",
    "dog.mp4": "Pexels",
    "music.mp4": "Pexels",
    "squirrel_no_audio.mp4": "Pexels",
    "pexels-koolshooters-7322716.mp4": "Pexels",
}
FRAMES = 14
GRAY = Layout("gray", 8)
TREES, DEPTH, RATE = 200, 5, 0.1

# Which way each feature may push, whatever the simulated footage says: what comes back, moves or disagrees is never
# the more likely to be damage for it.
DIRECTION = {
    **dict.fromkeys(("contrast", "peak", "contrast_codes", "seeded", "second_contrast"), 1),
    **dict.fromkeys(
        ("disagreement", "ring_disagreement", "ring_residual", "ring_noise", "texture", "rim_residual", "rim_opposed"),
        -1,
    ),
    **dict.fromkeys(("consistency", "shear", "jerk", "recurrence", "recurrence_wide", "trail"), -1),
}

Sample = dict[str, NDArray[Any]]


def make_clip(
    clip: list[NDArray[np.uint8]], rng: np.random.Generator, pool: list[Outline]
) -> tuple[list[Frame], list[NDArray[np.bool_]]]:
    """A short damaged clip and its truth."""
    step = int(rng.choice([1, 1, 2, 3, 4]))
    pictures = _stretch(clip, rng, step)
    height, width = pictures[0].shape
    wide = max(320, min(int(rng.choice([480, 560, 640, 720])), int(width / 1.3)))
    size = (wide, round(height * wide / width))
    grain = Grain(float(rng.uniform(0, 0.035)), float(rng.uniform(0.3, 1.1)))
    weave, flicker = float(rng.choice([0, 0.5, 1.5])), float(rng.choice([0, 0.02, 0.06]))
    contrast = rng.uniform(0.6, 1.05)
    lift = rng.uniform(0, 1 - min(1.0, contrast))
    area = float(np.exp(rng.uniform(np.log(0.002), np.log(0.015))))
    recipe = PoolRecipe(
        gauge=str(rng.choice(["35mm", "35mm", "16mm", "super8"])),
        area=(area / 2, area * 1.5),
        bright=float(rng.choice([0.1, 0.5, 0.9])),
        opacity=(0.4, 1.0),
    )
    quality = int(rng.choice([0, 0, 70, 90]))
    flyers = sample_flyers(rng, pool, size[1], size[0], len(pictures))
    glints = sample_glints(rng, pool, size[1], size[0], len(pictures))
    limbs = sample_limbs(rng, size[1], size[0])
    frames, truth = [], []
    for index, gray in enumerate(pictures):
        small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        shift = np.array([[1, 0, rng.normal() * weave], [0, 1, rng.normal() * weave]], np.float32)
        small = cv2.warpAffine(small, shift, size, borderMode=cv2.BORDER_REFLECT_101)
        small = draw_limbs(small, limbs, index)
        scene = draw(flyers[index] + glints[index], size[1], size[0])
        small = scene.gain * small + scene.lift
        small = np.clip((small * contrast + lift) * (1 + rng.normal() * flicker), 0, 1)
        coded = np.rint(add_grain(small.astype(np.float32), grain, rng) * 255).astype(np.uint8)
        damage = draw(sample_defects(rng, pool, size[1], size[0], recipe), size[1], size[0])
        frame = damage_frame(Frame(index, (coded,), GRAY), damage, full_range=True)
        if quality:
            packed = cv2.imencode(".jpg", frame.planes[0], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            frame = frame.with_planes((cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE),))
        frames.append(frame)
        truth.append(damage.alpha > TRUTH_ALPHA)
    return frames, truth


def load(source: Path) -> list[NDArray[np.uint8]]:
    """A whole clip, gray, shrunk to at most 936 pixels wide: 1.3 times what the widest sample needs."""
    out = []
    for rgb in read_rgb(source):
        gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        height, width = gray.shape
        if width > 936:
            gray = cv2.resize(gray, (936, round(height * 936 / width)), interpolation=cv2.INTER_AREA)
        out.append(gray)
    return out


def _stretch(clip: list[NDArray[np.uint8]], rng: np.random.Generator, step: int) -> list[NDArray[np.uint8]]:
    step = min(step, max(1, len(clip) // (FRAMES + 1)))
    first = int(rng.integers(0, max(1, len(clip) - FRAMES * step)))
    return clip[first : first + FRAMES * step : step]


def measure(frames: list[Frame], truth: list[NDArray[np.bool_]], pool: ThreadPoolExecutor) -> Sample:
    """Features of every candidate blob, the share of it that is damage, and its area in pixels."""
    seen = {}
    for _, future in windows(shots(map(picture, frames)), pool):
        window = future.result()
        found = find_candidates(window)
        if found is not None:
            seen[window.centre.index] = (window, found, Blobs(window, found))
    tables, shares, areas = [], [], []
    for index, (window, found, blobs) in seen.items():
        around = [seen.get(one.picture.index) for one in found.pair]
        first, second = (other[2] if other else None for other in around)
        table = add_recurrence(blobs, window, found.pair, (first, second))
        add_trail(table, np.arange(blobs.count), blobs, found.pair, (first, second))
        tables.append(table)
        inside = np.bincount(found.blob, truth[index].ravel()[found.where], blobs.count)
        shares.append(inside / np.maximum(blobs.area, 1))
        areas.append(blobs.area)
    return {"table": np.concatenate(tables), "share": np.concatenate(shares), "area": np.concatenate(areas)}


def fit(samples: list[Sample]) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    table, share, area = (np.concatenate([sample[key] for sample in samples]) for key in ("table", "share", "area"))
    clear = (share > 0.3) | (share < 0.08)
    model = HistGradientBoostingClassifier(
        max_iter=TREES,
        max_depth=DEPTH,
        learning_rate=RATE,
        l2_regularization=5,
        min_samples_leaf=60,
        monotonic_cst=[DIRECTION.get(name, 0) for name in FEATURES],
        random_state=0,
    )
    # What is large counts more: a limb taken and a hair left standing are worse than a pixel.
    weight = np.clip(np.sqrt(area) / 3, 0.5, 6)
    return model.fit(table[clear], share[clear] > 0.3, sample_weight=weight[clear])


def flatten(model: Any) -> dict[str, NDArray[Any]]:
    """The fitted trees as the flat arrays that `reelmend.detect.trees` runs."""
    roots = [predictor[0].nodes for predictor in model._predictors]
    shape = (len(roots), max(len(nodes) for nodes in roots))
    out: dict[str, NDArray[Any]] = {
        "feature": np.zeros(shape, np.int16),
        "threshold": np.zeros(shape, np.float32),
        "left": np.tile(np.arange(shape[1], dtype=np.int16), (shape[0], 1)),
        "right": np.tile(np.arange(shape[1], dtype=np.int16), (shape[0], 1)),
        "value": np.zeros(shape, np.float32),
        "base": np.asarray(float(np.ravel(model._baseline_prediction)[0])),
        "depth": np.asarray(DEPTH),
    }
    for tree, nodes in enumerate(roots):
        for at, node in enumerate(nodes):
            if node["is_leaf"]:
                out["value"][tree, at] = node["value"]
            else:
                out["feature"][tree, at] = node["feature_idx"]
                # Round down: the training compares in double precision.
                out["threshold"][tree, at] = np.float32(node["num_threshold"])
                out["left"][tree, at], out["right"][tree, at] = node["left"], node["right"]
    return out


def scores(probability: NDArray[np.float32], samples: list[Sample]) -> list[dict[str, float]]:
    """By threshold: share of damage blobs found, share of other blobs taken, and the same by area."""
    share, area = (np.concatenate([sample[key] for sample in samples]) for key in ("share", "area"))
    real, other = share > 0.3, share < 0.08
    rows = []
    for threshold in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98):
        taken = probability > threshold
        rows.append(
            {
                "threshold": threshold,
                "found": float(taken[real].mean()),
                "found_area": float((taken * area)[real].sum() / area[real].sum()),
                "false": float(taken[other].mean()),
                "false_area": float((taken * area)[other].sum() / area[other].sum()),
            }
        )
    return [{key: round(value, 4) for key, value in row.items()} for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("src/reelmend/weights"))
    parser.add_argument("--data", type=Path, default=data_folder())
    options = parser.parse_args()
    cv2.setNumThreads(1)
    outlines = read_scans(options.data / "damage" / "annotations", SCANS["dev"])
    pool = [outline for outline in outlines if outline.kind != "scratch"]
    by_clip: dict[str, list[Sample]] = {}
    with ThreadPoolExecutor(2) as threads:
        for clip_number, name in enumerate(CLIPS):
            clip = load(options.data / "clean" / "video" / name)
            for round_number in range(options.rounds):
                rng = np.random.default_rng([round_number, clip_number, 7])
                frames, truth = make_clip(clip, rng, pool)
                by_clip.setdefault(name, []).append(measure(frames, truth, threads))
            print(name, sum(len(sample["share"]) for sample in by_clip[name]), "blobs", flush=True)

    held_out, samples = [], []
    for fold in range(4):
        left = [name for number, name in enumerate(CLIPS) if number % 4 == fold]
        model = fit([sample for name in CLIPS if name not in left for sample in by_clip[name]])
        for sample in (sample for name in left for sample in by_clip[name]):
            held_out.append(model.predict_proba(sample["table"])[:, 1].astype(np.float32))
            samples.append(sample)
    rows = scores(np.concatenate(held_out), samples)
    for row in rows:
        print(row)

    everything = [sample for parts in by_clip.values() for sample in parts]
    model = fit(everything)
    arrays = flatten(model)
    trees = Trees(arrays)
    table = everything[0]["table"]
    gap = float(np.abs(trees.probability(table) - model.predict_proba(table)[:, 1]).max())
    if gap > 0.02:
        raise SystemExit(f"the flat trees differ from the fitted ones by {gap}")
    options.out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(options.out / "spike.npz", **arrays)
    card = {
        "name": "spike",
        "kind": "boosted trees over blob features, for the spike detector",
        "architecture": {"trees": TREES, "depth": DEPTH, "learning_rate": RATE, "features": list(FEATURES)},
        "recipe": f"python -m benchmarks.fit_spike --rounds {options.rounds}",
        "data": {"clips": CLIPS, "outlines": {"scans": list(SCANS["dev"]), "terms": "MIT (FilmDamageSimulator)"}},
        "licence": "Apache-2.0",
        "sha256": hashlib.sha256((options.out / "spike.npz").read_bytes()).hexdigest(),
        "blobs": int(sum(len(sample["share"]) for sample in everything)),
        "scores": {"what": "clips left out of the fit in turn (4 folds); shares of blobs", "by_threshold": rows},
    }
    (options.out / "spike.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
