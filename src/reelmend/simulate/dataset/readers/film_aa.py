"""FILM-AA: polygons of artefacts on 35 mm scans, one JSON file a scan, the scans themselves beside them if at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from reelmend.errors import UsageError
from reelmend.media.pattern import IMAGE_SUFFIXES
from reelmend.simulate.dataset.classes import FILM_AA, Classes
from reelmend.simulate.dataset.coco import polygon_mask
from reelmend.simulate.dataset.pictures import read_picture
from reelmend.simulate.dataset.readers.promise import Labels, Reader, Sample
from reelmend.simulate.outlines import MICROMETRES_PER_PIXEL, Placed, read_placed

_SLACK = 2.0
"""Pixels that a corner may lie outside its scan: annotators click on the edge."""

_VALUES = {label.kind: value for value, label in FILM_AA.items()}


class FilmAA(Reader):
    """A folder of annotation files, or one of them; a scan is an image of the same name, beside it or in `images/`.

    Without its scan, a sample has no image and its label map reaches as far as the last artefact (rounded up to 10
    pixels): `meta["size_known"]` is False then. `meta["artefacts"]` counts the polygons.
    """

    name: ClassVar[str] = "film_aa"
    classes: Classes = FILM_AA

    def __init__(self, files: list[Path]) -> None:
        self._files = files

    @classmethod
    def open(cls, path: Path) -> Self:
        if path.is_dir():
            files = sorted(path.glob("*.json"))
            if not files:
                raise UsageError(f"{path} holds no annotations; give a folder of scan_*.json files")
        elif path.exists():
            files = [path]
        else:
            raise UsageError(f"{path} does not exist; check the name")
        return cls(files)

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[Sample]:
        for file in self._files:
            yield _sample(file)


def _sample(file: Path) -> Sample:
    artefacts = read_placed(file)
    scan = _scan_of(file)
    image = read_picture(scan) if scan else None
    polygons = [_in_pixels(artefact) for artefact in artefacts]
    if image is not None:
        height, width = image.shape[:2]
    else:
        last = np.max([polygon.max(axis=0) for polygon in polygons], axis=0) if polygons else np.zeros(2)
        width, height = (int(np.ceil((side + 1) / 10)) * 10 for side in last)
    labels: Labels = np.zeros((height, width), dtype=np.uint8)
    # Small ones last: a speck that lies on a long hair keeps its own label.
    order = sorted(range(len(artefacts)), key=lambda at: -max(artefacts[at].outline.extent))
    for at in order:
        try:
            mask = polygon_mask(polygons[at], height, width, _SLACK)
        except ValueError:
            place = "before the edge of" if scan is None else "outside"
            raise UsageError(
                f"{file}: artefact {at} lies {place} {scan.name if scan else 'the scan'} ({width} x {height} pixels);"
                " give the scan that was annotated, at its own size"
            ) from None
        labels[mask] = _VALUES[artefacts[at].outline.kind]
    meta = {"annotation": str(file), "scan": str(scan) if scan else None, "size_known": scan is not None}
    return Sample(file.stem, image, labels, FILM_AA, {**meta, "artefacts": len(artefacts)})


def _in_pixels(artefact: Placed) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    [points] = artefact.outline.parts
    return np.asarray((points + np.array([artefact.x, artefact.y])) / MICROMETRES_PER_PIXEL)


def _scan_of(file: Path) -> Path | None:
    for folder in (file.parent, file.parent / "images"):
        for suffix in IMAGE_SUFFIXES:
            for spelt in (suffix, suffix.upper()):
                if (scan := folder / f"{file.stem}{spelt}").is_file():
                    return scan
    return None
