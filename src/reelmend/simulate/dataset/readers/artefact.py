"""ARTeFACT: damaged pictures of many materials with label maps, in parquet files as Hugging Face datasets keep them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from reelmend.errors import UsageError
from reelmend.simulate.dataset.classes import ARTEFACT, CLEAN, UNJUDGED, Classes
from reelmend.simulate.dataset.pictures import decode, decode_labels
from reelmend.simulate.dataset.readers.promise import Reader, Sample

if TYPE_CHECKING:
    import pyarrow.parquet  # type: ignore[import-untyped]

PICTURES = ("image", "annotation")
WORDS = ("material", "content", "type", "damage_description", "llava_description", "verified_description")
COLUMNS = (*PICTURES, "annotation_rgb", *WORDS)
"""Of the published files; `annotation_rgb` repeats the annotation in colours and is not read."""

_KNOWN = np.isin(np.arange(256), [CLEAN, UNJUDGED, *ARTEFACT])


class Artefact(Reader):
    """A parquet file or a folder of them (any depth), read a row at a time.

    `meta` holds the row's words by column name, None where it has none, `file` and `row`.
    """

    name: ClassVar[str] = "artefact"
    classes: Classes = ARTEFACT

    def __init__(self, files: list[tuple[Path, int]]) -> None:
        self._files = files

    @classmethod
    def open(cls, path: Path) -> Self:
        files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
        if not files:
            raise UsageError(f"{path} holds no .parquet files; give the dataset's folder or one of its files")
        counted = []
        for file in files:
            with _open(file) as table:
                counted.append((file, int(table.metadata.num_rows)))
        return cls(counted)

    def __len__(self) -> int:
        return sum(rows for _, rows in self._files)

    def __iter__(self) -> Iterator[Sample]:
        import pyarrow

        for file, _ in self._files:
            with _open(file) as table:
                names = [name for name in (*PICTURES, *WORDS) if name in table.schema_arrow.names]
                row = 0
                try:
                    for batch in table.iter_batches(batch_size=1, columns=names):
                        [values] = batch.to_pylist()
                        yield _sample(file, row, values)
                        row += 1
                except (pyarrow.ArrowException, OSError) as error:
                    raise UsageError(
                        f"{file} cannot be read from row {row} on ({_first_line(error)}); use another copy"
                    ) from None


def _open(file: Path) -> pyarrow.parquet.ParquetFile:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UsageError("parquet files need pyarrow; install reelmend[train]") from None
    if not file.is_file():
        raise UsageError(f"{file} does not exist; check the name")
    try:
        table = parquet.ParquetFile(file)
    except (pyarrow.ArrowException, OSError) as error:
        raise UsageError(f"{file} is not a whole parquet file ({_first_line(error)}); use another copy") from None
    schema = table.schema_arrow
    missing = [name for name in PICTURES if name not in schema.names]
    if missing:
        table.close()
        raise UsageError(
            f"{file} has no column {' and '.join(missing)}; give a file with the columns {', '.join(COLUMNS)}"
        )
    for name in PICTURES:
        kind = schema.field(name).type
        if not (pyarrow.types.is_struct(kind) and kind.get_field_index("bytes") >= 0):
            table.close()
            raise UsageError(
                f"{file}: column {name} is {kind}, not pictures as a struct of bytes and path; save it as an Image"
                " column"
            )
    return table


def _sample(file: Path, row: int, values: dict[str, Any]) -> Sample:
    where = f"{file}, row {row}"
    image = decode(_bytes(where, file, values["image"], "image"))
    if image is None:
        raise UsageError(f"{where}: the image cannot be decoded; use another copy of the file")
    if image.shape[2] != 3 and image.shape[2] != 1:
        raise UsageError(f"{where}: the image has {image.shape[2]} channels; save it in gray or in red, green, blue")
    labels = decode_labels(_bytes(where, file, values["annotation"], "annotation"))
    if labels is None:
        raise UsageError(f"{where}: the annotation is not a picture of label numbers; save it as an 8-bit gray PNG")
    if labels.shape != image.shape[:2]:
        raise UsageError(
            f"{where}: the annotation is {labels.shape[1]} x {labels.shape[0]} pixels and the image"
            f" {image.shape[1]} x {image.shape[0]}; save both at one size"
        )
    strange = np.unique(labels[~_KNOWN[labels]])
    if len(strange):
        raise UsageError(
            f"{where}: the annotation holds label {strange[0]}; labels are 0 to {max(ARTEFACT)} and 255 for background"
        )
    words = {name: values.get(name) for name in WORDS}
    return Sample(f"{file.stem}-{row:05d}", image, labels, ARTEFACT, {**words, "file": str(file), "row": row})


def _bytes(where: str, file: Path, cell: Any, column: str) -> bytes:
    if cell and cell.get("bytes"):
        return bytes(cell["bytes"])
    # Hugging Face datasets may keep the place of a picture in place of its bytes.
    if cell and cell.get("path"):
        picture = (file.parent / cell["path"]).resolve()
        # A dataset from elsewhere has no say over files outside its own folder.
        if picture.is_relative_to(file.parent.resolve()) and picture.is_file():
            return picture.read_bytes()
        raise UsageError(f"{where}: {column} {picture} is missing; save the dataset with its pictures embedded")
    raise UsageError(f"{where} has no {column}; take the row away")


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0].rstrip(".") if lines else "damaged"
