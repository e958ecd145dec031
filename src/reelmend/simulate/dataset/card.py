"""The COCO files and the card of a dataset, put together from the records of its samples."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from reelmend import __version__
from reelmend.errors import UsageError
from reelmend.simulate.dataset.layout import record_path
from reelmend.simulate.dataset.plan import Plan, Settings
from reelmend.simulate.dataset.sources import SPLITS, Source
from reelmend.simulate.kinds import KINDS
from reelmend.simulate.recipe import RUN, Recipe

FORMAT = 1
"""Of a dataset; raised when its layout or the meaning of a field changes."""

_FROM_RECORD = (
    *("source", "source_frame", "still", "gauge", "scan_width", "film_seed"),
    *("damaged", "mask", "clean", "neighbours"),
)
"""What an image's entry says beyond COCO."""


def identity(sources: Sequence[Source], recipe: Recipe, seed: int, settings: Settings) -> str:
    """A digest of all that decides a sample: only datasets of one identity may be gone on with."""
    known = {
        "format": FORMAT,
        "version": __version__,
        "recipe": recipe.model_dump(mode="json"),
        "seed": seed,
        "settings": asdict(settings),
        "sources": sorted((source.name, source.sha256) for source in sources),
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def categories() -> list[dict[str, Any]]:
    """All kinds of damage, numbered from 1 in the order of their names."""
    return [
        {"id": number, "name": name, "supercategory": "damage"} for number, name in enumerate(sorted(KINDS), start=1)
    ]


def coco_document(split: str, records: Iterable[dict[str, Any]], sources: Sequence[Source]) -> dict[str, Any]:
    """The COCO file of a split."""
    numbers = {category["name"]: category["id"] for category in categories()}
    by_name = {source.name: source for source in sources}
    licences: dict[str, dict[str, Any]] = {}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for record in records:
        image = {
            "id": record["number"],
            "file_name": record["file_name"],
            "width": record["width"],
            "height": record["height"],
            **{key: record[key] for key in _FROM_RECORD if key in record},
        }
        terms = by_name[record["source"]].licence
        if terms:
            entry = licences.setdefault(
                terms[0]["file"], {"id": len(licences) + 1, "name": terms[0]["says"], "url": terms[0]["file"]}
            )
            image["license"] = entry["id"]
        images.append(image)
        for annotation in record["annotations"]:
            plain = {key: value for key, value in annotation.items() if key != "kind"}
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": record["number"],
                    "category_id": numbers[annotation["kind"]],
                    **plain,
                }
            )
    return {
        "info": {
            "description": f"Simulated film damage, {split}",
            "version": str(FORMAT),
            "contributor": f"ReelMend {__version__}",
        },
        "licenses": list(licences.values()),
        "images": images,
        "annotations": annotations,
        "categories": categories(),
    }


def card(
    split_records: dict[str, list[dict[str, Any]]],
    sources: Sequence[Source],
    recipe: Recipe,
    seed: int,
    settings: Settings,
    notes: Sequence[str],
) -> dict[str, Any]:
    """What a person or a program must know of the whole dataset."""
    used = {record["source"] for records in split_records.values() for record in records}
    return {
        "format": FORMAT,
        "identity": identity(sources, recipe, seed, settings),
        "count": sum(len(records) for records in split_records.values()),
        "seed": seed,
        "recipe": {"name": recipe.name, "file": "recipe.toml"},
        "settings": asdict(settings),
        "versions": {
            "reelmend": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "opencv": cv2.__version__,
        },
        "splits": {
            split: {
                "samples": len(records),
                "sources": len({record["source"] for record in records}),
                "defects": _by_kind(records),
                "damaged_share": _damaged(records),
            }
            for split, records in split_records.items()
        },
        "sources": [
            {**source.card(), "split": source.split(settings.splits), "used": source.name in used} for source in sources
        ],
        "notes": list(notes),
    }


def _by_kind(records: Iterable[dict[str, Any]]) -> dict[str, int]:
    counted = Counter(annotation["kind"] for record in records for annotation in record["annotations"])
    return {name: counted[name] for name in sorted(KINDS)}


def _damaged(records: Sequence[dict[str, Any]]) -> float | None:
    """Damaged pixels by all pixels."""
    pixels = sum(record["width"] * record["height"] for record in records)
    damaged = sum(record["damaged"] for record in records)
    return round(damaged / pixels, 6) if pixels else None


def recipe_text(recipe: Recipe, seed: int) -> str:
    """The recipe as it was used, defaults spelled out; `--recipe` takes it again."""
    import tomli_w

    values = recipe.model_dump(mode="json", exclude_none=True)
    return tomli_w.dumps({**values, RUN: {"version": __version__, "seed": seed}})


def read_records(out: Path, plans: Iterable[Plan]) -> dict[str, list[dict[str, Any]]]:
    """The records of all samples, by split. Raises UsageError for one that somebody spoilt."""
    found: dict[str, list[dict[str, Any]]] = {}
    for plan in plans:
        path = record_path(out, plan)
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise UsageError(f"{path} cannot be read; remove it and run the same command again") from None
        found.setdefault(plan.split, []).append(record)
    return {split: found[split] for split in SPLITS if split in found}
