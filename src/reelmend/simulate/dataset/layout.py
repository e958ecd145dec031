"""Where the files of a dataset lie.

OUT/dataset.json                      what it was made of, and counts
OUT/recipe.toml                       the recipe, with seed and version
OUT/train/annotations.json            COCO
OUT/train/frames/000012.png           damaged
OUT/train/masks/000012.png            0 = sound, 255 = damaged
OUT/train/clean/000012.png            the same film without damage
OUT/train/neighbours/000012_-1.png    the damaged frames before (-2, -1) and after (+1, +2)
OUT/train/records/000012.json         all that is known of one sample
OUT/validation/..., OUT/test/...      the same
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reelmend.simulate.dataset.plan import Plan, Settings

CARD, RECIPE, BEGUN, LOCK = "dataset.json", "recipe.toml", ".begun.json", ".lock"
FOLDERS = ("frames", "masks", "clean", "neighbours", "records")


def frame_places(plan: Plan, settings: Settings) -> dict[str, Any]:
    """Paths inside the split's folder, as they stand in the annotations."""
    name = f"{plan.number:06d}"
    places: dict[str, Any] = {"file_name": f"frames/{name}.png", "mask": f"masks/{name}.png"}
    if settings.clean:
        places["clean"] = f"clean/{name}.png"
    reach = settings.window // 2
    offsets = [offset for offset in range(-reach, reach + 1) if offset]
    if offsets:
        places["neighbours"] = {f"{offset:+d}": f"neighbours/{name}_{offset:+d}.png" for offset in offsets}
    return places


def record_path(out: Path, plan: Plan) -> Path:
    return out / plan.split / "records" / f"{plan.number:06d}.json"


def is_made(out: Path, plan: Plan, settings: Settings) -> bool:
    """Whether a sample is there with all its files."""
    places = frame_places(plan, settings)
    names = [*places.pop("neighbours", {}).values(), *places.values()]
    return record_path(out, plan).is_file() and all((out / plan.split / name).is_file() for name in names)


def make_folders(folder: Path, settings: Settings) -> None:
    for name in FOLDERS:
        if (name == "clean" and not settings.clean) or (name == "neighbours" and settings.window == 1):
            continue
        (folder / name).mkdir(parents=True, exist_ok=True)
