"""Our own datasets: frames, masks and COCO annotations as `reelmend simulate dataset` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from reelmend.errors import UsageError
from reelmend.simulate.dataset.classes import CLEAN, UNJUDGED, Classes, Label
from reelmend.simulate.dataset.coco import mask_of
from reelmend.simulate.dataset.pictures import read_picture
from reelmend.simulate.dataset.readers.promise import Labels, Reader, Sample
from reelmend.simulate.dataset.sources import SPLITS

ANNOTATIONS = "annotations.json"


class Written(Reader):
    """A whole dataset, one of its splits, or any COCO file whose pictures lie beside it.

    Where annotations overlap, the smaller one keeps its label. With a file in `masks/`, that mask decides what is
    damaged: it must agree with the annotations. `meta` holds the image's own entry, `annotations` (as in the file),
    `split`, and `clean` and `neighbours` as paths where there are any.
    """

    name: ClassVar[str] = "coco"

    def __init__(self, files: list[tuple[Path, dict[str, Any]]]) -> None:
        self._files = files
        self.classes: Classes = _classes(files)

    @classmethod
    def open(cls, path: Path) -> Self:
        places = [path / split / ANNOTATIONS for split in SPLITS] if path.is_dir() else [path]
        if path.is_dir() and (path / ANNOTATIONS).is_file():
            places = [path / ANNOTATIONS]
        found = [place for place in places if place.is_file()]
        if not found:
            raise UsageError(f"{path} holds no {ANNOTATIONS}; give a dataset, one of its splits, or a COCO file")
        return cls([(place, _document(place)) for place in found])

    def __len__(self) -> int:
        return sum(len(document["images"]) for _, document in self._files)

    def __iter__(self) -> Iterator[Sample]:
        for file, document in self._files:
            of_image: dict[Any, list[dict[str, Any]]] = {}
            for annotation in document["annotations"]:
                of_image.setdefault(annotation["image_id"], []).append(annotation)
            for entry in document["images"]:
                yield self._sample(file, entry, of_image.get(entry["id"], []))

    def _sample(self, file: Path, entry: dict[str, Any], annotations: list[dict[str, Any]]) -> Sample:
        root = file.parent
        image = read_picture(_inside(file, root, entry["file_name"]))
        height, width = image.shape[:2]
        if (height, width) != (entry["height"], entry["width"]):
            raise UsageError(
                f"{root / entry['file_name']} is {width} x {height} pixels, {file} says {entry['width']} x"
                f" {entry['height']}; write the dataset anew"
            )
        labels: Labels = np.zeros((height, width), dtype=np.uint8)
        for annotation in sorted(annotations, key=lambda one: -float(one["area"])):
            if annotation["category_id"] not in self.classes:
                raise UsageError(
                    f"{file}: annotation {annotation['id']} is of category {annotation['category_id']}, which is not"
                    " among its categories; write the file anew"
                )
            try:
                mask = mask_of(annotation["segmentation"], height, width)
            except ValueError as error:
                raise UsageError(f"{file}: annotation {annotation['id']}: {error}; write the file anew") from None
            labels[mask] = annotation["category_id"]
        if "mask" in entry:
            _compare(_inside(file, root, entry["mask"]), labels)
        meta = {**entry, "annotations": annotations, "split": root.name}
        if "clean" in entry:
            meta["clean"] = str(root / entry["clean"])
        if "neighbours" in entry:
            meta["neighbours"] = {offset: str(root / name) for offset, name in entry["neighbours"].items()}
        return Sample(Path(entry["file_name"]).stem, image, labels, self.classes, meta)


def read_mask(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """A mask as `(h, w)`. UsageError for values other than 0 and 255."""
    picture = read_picture(path)
    if picture.shape[2] != 1 or picture.dtype != np.uint8 or not np.isin(picture, (0, 255)).all():
        raise UsageError(f"{path} is no mask: its values are not all 0 and 255; save it as an 8-bit gray PNG")
    return np.asarray(picture[..., 0] == 255)


def _compare(path: Path, labels: Labels) -> None:
    mask = read_mask(path)
    if mask.shape != labels.shape:
        raise UsageError(f"{path} is of another size than its frame; write the dataset anew")
    if (mask != (labels != CLEAN)).any():
        raise UsageError(f"{path} does not agree with the annotations of its frame; write the dataset anew")


def _inside(file: Path, root: Path, name: Any) -> Path:
    if not isinstance(name, str) or not (root / name).resolve().is_relative_to(root.resolve()):
        raise UsageError(f"{file} names the picture {name}, which is not in its folder; put it there")
    return root / name


def _document(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}); check its permissions") from None
    except ValueError:
        raise UsageError(f"{file} is not a whole JSON file; use another copy") from None
    wanted = {
        "images": ("id", "file_name", "height", "width"),
        "annotations": ("id", "image_id", "category_id", "segmentation", "area"),
        "categories": ("id", "name"),
    }
    for table, keys in wanted.items():
        rows = document.get(table) if isinstance(document, dict) else None
        if not isinstance(rows, list):
            raise UsageError(f"{file} has no table of {table}; give annotations in the COCO format")
        for row in rows:
            missing = [key for key in keys if not isinstance(row, dict) or key not in row]
            if missing:
                raise UsageError(f"{file}: one of its {table} has no {missing[0]}; give annotations in the COCO format")
    known = {row["id"] for row in document["images"]}
    lost = next((row for row in document["annotations"] if row["image_id"] not in known), None)
    if lost is not None:
        raise UsageError(f"{file}: annotation {lost['id']} is of image {lost['image_id']}, which it does not list")
    return document


def _classes(files: list[tuple[Path, dict[str, Any]]]) -> Classes:
    from reelmend.simulate.kinds import KINDS

    classes: dict[int, Label] = {}
    for file, document in files:
        for category in document["categories"]:
            number, name = category["id"], str(category["name"])
            if not isinstance(number, int) or not CLEAN < number < UNJUDGED:
                raise UsageError(f"{file}: category {name} has the number {number}; number them from 1 to 254")
            if classes.get(number, Label(name, None)).name != name:
                raise UsageError(f"{file}: category {number} is {name} here, {classes[number].name} in another split")
            classes[number] = Label(name, name if name in KINDS else None)
    return classes
