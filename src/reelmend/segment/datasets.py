"""Pictures with truth in the layouts in which data sets come: COCO-Stuff, Cityscapes, BSDS500.

Of the first two the 27 classes that unsupervised segmentation is compared on (Cho et al., "PiCIE", 2021).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError
from reelmend.segment.files import read_picture
from reelmend.segment.scores import IGNORED

COARSE = (
    "electronic", "appliance", "food", "furniture", "indoor", "kitchen", "accessory", "animal", "outdoor", "person",
    "sports", "vehicle", "ceiling", "floor", "food-stuff", "furniture-stuff", "raw-material", "textile", "wall",
    "window", "building", "ground", "plant", "sky", "solid", "structural", "water",
)  # fmt: skip
"""The 27 upper classes of COCO-Stuff (Caesar, Uijlings and Ferrari 2018), things before stuff."""

THINGS = {
    "person": (0, 0), "vehicle": (1, 8), "outdoor": (9, 14), "animal": (15, 24), "accessory": (25, 32),
    "sports": (33, 42), "kitchen": (43, 50), "food": (51, 60), "furniture": (61, 70), "electronic": (71, 76),
    "appliance": (77, 82), "indoor": (83, 90),
}  # fmt: skip
"""First and last value of the label maps, by upper class."""

STUFF = {
    "ceiling": (101, 102),
    "floor": (100, *range(113, 118)),
    "food-stuff": (120, 121, 152, 169),
    "furniture-stuff": (97, 106, 107, 109, 111, 122, 129, 132, 155, 160, 164),
    "raw-material": (99, 131, 138, 142),
    "textile": (91, 92, 103, 104, 108, 130, 136, 140, 151, 166, 167),
    "wall": tuple(range(170, 177)),
    "window": (179, 180),
    "building": (94, 95, 127, 150, 157, 165),
    "ground": (110, 124, 125, 135, 139, 143, 144, 146, 148, 153, 158),
    "plant": (93, 96, 118, 123, 128, 133, 141, 162, 168),
    "sky": (105, 156),
    "solid": (126, 134, 149, 159, 161, 181),
    "structural": (98, 112, 137, 145, 163),
    "water": (119, 147, 154, 177, 178),
}
"""Values of the label maps by upper class; 255 and others are not judged."""

CITYSCAPES_FIRST, CITYSCAPES_LAST = 7, 33
"""Identifiers of Cityscapes that are judged, road to bicycle: 27 classes in their order."""


@dataclass(frozen=True, slots=True)
class Example:
    """A picture and where its truth lies."""

    name: str
    picture: Path
    truth: Path
    read: Callable[[Path], list[NDArray[np.int64]]]

    def image(self) -> NDArray[np.generic]:
        """`(h, w, 3)` red, green, blue."""
        return read_picture(self.picture)

    def truths(self) -> list[NDArray[np.int64]]:
        """Label maps `(h, w)`, one for every person; `IGNORED` where nothing is judged."""
        return self.read(self.truth)


def coarse_table() -> NDArray[np.int64]:
    """The upper class of every value of a COCO-Stuff label map, `(256,)`."""
    table = np.full(256, IGNORED, np.int64)
    for name, (first, last) in THINGS.items():
        table[first : last + 1] = COARSE.index(name)
    for name, values in STUFF.items():
        table[list(values)] = COARSE.index(name)
    return table


def coco_stuff(root: Path, split: str = "val2017") -> list[Example]:
    """COCO-Stuff: `images/SPLIT/*.jpg` and `annotations/SPLIT/*.png` (the pixel maps of stuffthingmaps)."""
    pictures, truth = _in(root / "images" / split, "*.jpg"), root / "annotations" / split
    pairs = ((path, truth / f"{path.stem}.png") for path in pictures)
    return _examples(pairs, _read_coco, root)


def cityscapes(root: Path, split: str = "val") -> list[Example]:
    """Cityscapes: `leftImg8bit/SPLIT/CITY/*_leftImg8bit.png` and `gtFine/SPLIT/CITY/*_gtFine_labelIds.png`."""
    pictures = _in(root / "leftImg8bit" / split, "*/*_leftImg8bit.png")
    pairs = (
        (path, root / "gtFine" / split / path.parent.name / path.name.replace("_leftImg8bit", "_gtFine_labelIds"))
        for path in pictures
    )
    return _examples(pairs, _read_cityscapes, root)


def bsds(root: Path, split: str = "test") -> list[Example]:
    """BSDS500: `images/SPLIT/*.jpg` and `groundTruth/SPLIT/*.mat`, several people for every picture."""
    pictures, truth = _in(root / "images" / split, "*.jpg"), root / "groundTruth" / split
    pairs = ((path, truth / f"{path.stem}.mat") for path in pictures)
    return _examples(pairs, _read_bsds, root)


def composed(root: Path, split: str = "test") -> list[Example]:
    """Composed scenes: `SPLIT/*.png` and `SPLIT/*.labels.png`, 16-bit label maps."""
    pictures = [path for path in _in(root / split, "*.png") if not path.name.endswith(".labels.png")]
    return _examples(((path, path.with_suffix(".labels.png")) for path in pictures), _read_labels, root)


DATASETS: dict[str, Callable[[Path, str], list[Example]]] = {
    "coco-stuff-27": coco_stuff,
    "cityscapes-27": cityscapes,
    "bsds500": bsds,
    "composed": composed,
}
"""By name: `(root, split)`."""


def _in(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise UsageError(f"{folder} holds no {pattern}; give the folder that the data set was unpacked in.")
    return found


def _examples(
    pairs: Iterator[tuple[Path, Path]], read: Callable[[Path], list[NDArray[np.int64]]], root: Path
) -> list[Example]:
    found = []
    for picture, truth in pairs:
        if not truth.is_file():
            raise UsageError(f"{truth} is missing, the truth of {picture.name}; unpack the annotations into {root}.")
        found.append(Example(picture.stem, picture, truth, read))
    return found


def _map(path: Path) -> NDArray[np.int64]:
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if found is None or found.ndim != 2:
        raise UsageError(f"{path} is no label map: it must be a PNG with one plane.")
    return np.asarray(found, np.int64)


def _read_labels(path: Path) -> list[NDArray[np.int64]]:
    return [_map(path)]


def _read_coco(path: Path) -> list[NDArray[np.int64]]:
    return [coarse_table()[np.minimum(_map(path), 255)]]


def _read_cityscapes(path: Path) -> list[NDArray[np.int64]]:
    found = _map(path)
    judged = (found >= CITYSCAPES_FIRST) & (found <= CITYSCAPES_LAST)
    return [np.where(judged, found - CITYSCAPES_FIRST, IGNORED)]


def _read_bsds(path: Path) -> list[NDArray[np.int64]]:
    from scipy.io import loadmat

    try:
        people = loadmat(str(path))["groundTruth"].ravel()
        # Counted from 1; a person's segmentation is the field of that name in a struct of one.
        return [np.asarray(one["Segmentation"][0, 0], np.int64) - 1 for one in people]
    except (KeyError, ValueError, OSError, NotImplementedError) as error:
        raise UsageError(f"{path} is no ground truth of BSDS500 ({error}).") from error
