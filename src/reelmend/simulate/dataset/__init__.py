"""Datasets of damage: written from clean footage, and read in the formats of others.

Only here is pyarrow known, and only once a parquet file is opened.
"""

from __future__ import annotations

from pathlib import Path

from reelmend.errors import UsageError
from reelmend.simulate.dataset.classes import Label
from reelmend.simulate.dataset.readers.artefact import Artefact
from reelmend.simulate.dataset.readers.film_aa import FilmAA
from reelmend.simulate.dataset.readers.film_r import FilmR
from reelmend.simulate.dataset.readers.promise import Reader, Sample
from reelmend.simulate.dataset.readers.written import Written
from reelmend.simulate.dataset.write import DatasetResult, write_dataset

__all__ = ["READERS", "DatasetResult", "Label", "Reader", "Sample", "open_dataset", "write_dataset"]

READERS: dict[str, type[Reader]] = {"coco": Written, "film_aa": FilmAA, "film_r": FilmR, "artefact": Artefact}
"""By the name of the format."""


def open_dataset(path: str | Path, name: str) -> Reader:
    """Open a dataset in the format of that name.

    Raises UsageError for an unknown format, or as that reader's `open` does.
    """
    if name not in READERS:
        raise UsageError(f"{name} is no format of datasets; choose one of {', '.join(READERS)}")
    return READERS[name].open(Path(path))
