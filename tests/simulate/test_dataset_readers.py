"""One promise for all readers of datasets, and what each of them refuses."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from reelmend.errors import UsageError
from reelmend.simulate.dataset import READERS, Sample, open_dataset
from reelmend.simulate.dataset.classes import ARTEFACT, CLEAN, FILM_AA, UNJUDGED
from reelmend.simulate.dataset.readers.artefact import COLUMNS
from reelmend.simulate.dataset.readers.film_r import FilmR, changed
from reelmend.simulate.kinds import KINDS

HEIGHT, WIDTH = 48, 61


def picture(seed: int = 0, height: int = HEIGHT, width: int = WIDTH, kind: type = np.uint8) -> np.ndarray:
    """A smooth coloured picture, BGR as OpenCV stores it."""
    noise = np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    return np.rint(smooth * np.iinfo(kind).max * 0.8).astype(kind)


def png(array: np.ndarray) -> bytes:
    return cv2.imencode(".png", array)[1].tobytes()


def write(path: Path, array: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(array))
    return path


def artefact_polygon(name: str, *corners: tuple[float, float]) -> dict:
    return {"points": [{"figure_id": None, "x": x, "y": y} for x, y in corners], "label": {"id": 1, "name": name}}


SQUARE = ((10, 5), (20, 5), (20, 15), (10, 15))


def film_aa(folder: Path, entries: list[dict] | None = None, name: str = "scan_1") -> Path:
    entries = [artefact_polygon("Dust", *SQUARE)] if entries is None else entries
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({str(at): entry for at, entry in enumerate(entries)}))
    write(folder / "images" / f"{name}.png", picture())
    return folder


def film_r(folder: Path) -> Path:
    clean = picture(kind=np.uint16)
    damaged = clean.copy()
    damaged[20:30, 12:14] = 65535
    write(folder / "damaged" / "one.png", damaged)
    write(folder / "restored" / "one.png", clean)
    return folder


def table(rows: list[dict], pictures: bool = True) -> pyarrow.Table:
    cell = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())]) if pictures else pyarrow.string()
    kinds = {"image": cell, "annotation": cell, "annotation_rgb": cell}
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in COLUMNS])
    return pyarrow.Table.from_pylist(rows, schema=schema)


def row(labels: np.ndarray | None = None, image: np.ndarray | None = None) -> dict:
    if labels is None:
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        labels[:4] = 255
        labels[10:15, 10:20] = 13
    image = picture() if image is None else image
    return {
        "image": {"bytes": png(image), "path": "one.png"},
        "annotation": {"bytes": png(labels), "path": None},
        "annotation_rgb": {"bytes": png(image), "path": None},
        "material": "Film emulsion",
        "verified_description": None,
    }


def artefact(folder: Path, rows: list[dict] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table([row()] if rows is None else rows), folder / "train-00000-of-00001.parquet")
    return folder


def coco(folder: Path, change=None) -> Path:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[5:15, 10:20] = 255
    write(folder / "train" / "frames" / "000001.png", picture())
    write(folder / "train" / "masks" / "000001.png", mask)
    document = {
        "images": [
            {"id": 1, "file_name": "frames/000001.png", "mask": "masks/000001.png", "height": HEIGHT, "width": WIDTH}
        ],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 2,
                "segmentation": [[10, 5, 20, 5, 20, 15, 10, 15]],
                "bbox": [10, 5, 10, 10],
                "area": 100,
                "iscrowd": 0,
            }
        ],
        "categories": [{"id": 1, "name": "line scratch"}, {"id": 2, "name": "dust"}],
    }
    if change:
        change(document)
    (folder / "train" / "annotations.json").write_text(json.dumps(document))
    return folder


BUILD = {"film_aa": film_aa, "film_r": film_r, "artefact": artefact, "coco": coco}


def test_every_reader_has_a_case():
    assert BUILD.keys() == READERS.keys()


@pytest.mark.parametrize("name", READERS)
def test_a_reader_keeps_its_promise(name, tmp_path):
    reader = open_dataset(BUILD[name](tmp_path / "data"), name)
    assert reader.name == name
    once, again = list(reader), list(reader)
    assert len(once) == len(reader) == len(again) == 1
    for sample, twin in zip(once, again, strict=True):
        assert isinstance(sample, Sample) and sample.name
        assert sample.labels.dtype == np.uint8 and sample.labels.shape == (HEIGHT, WIDTH)
        assert sample.image.shape == (HEIGHT, WIDTH, 3) and sample.image.dtype in (np.uint8, np.uint16)
        assert sample.mask.dtype == sample.judged.dtype == bool
        assert sample.mask.any() and not sample.mask.all() and not (sample.mask & ~sample.judged).any()
        assert set(np.unique(sample.labels)) <= {CLEAN, UNJUDGED, *sample.classes}
        assert sample.classes == reader.classes
        assert np.array_equal(sample.image, twin.image) and np.array_equal(sample.labels, twin.labels)
    # Red comes first whatever the library that decoded it.
    if name != "film_r":
        assert np.array_equal(once[0].image, picture()[..., ::-1])


@pytest.mark.parametrize("name", READERS)
def test_a_reader_is_lazy(name, tmp_path):
    folder = BUILD[name](tmp_path / "data")
    reader = iter(open_dataset(folder, name))
    next(reader)
    with pytest.raises(StopIteration):
        next(reader)


@pytest.mark.parametrize("name", READERS)
def test_nothing_there_is_one_sentence(name, tmp_path):
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "empty", tmp_path / "missing"):
        with pytest.raises(UsageError) as caught:
            open_dataset(place, name)
        assert str(place) in str(caught.value) and "; " in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "suffix"), [("film_aa", "json"), ("artefact", "parquet"), ("coco", "json")])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_a_file_cut_short_is_one_sentence(name, suffix, share, tmp_path):
    folder = BUILD[name](tmp_path / "data")
    [file] = folder.rglob(f"*.{suffix}")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UsageError) as caught:
        list(open_dataset(folder, name))
    assert file.name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["film_aa", "film_r", "coco"])
def test_a_picture_cut_short_is_one_sentence(name, tmp_path):
    folder = BUILD[name](tmp_path / "data")
    file = sorted(folder.rglob("*.png"))[0]
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(UsageError, match=file.name):
        list(open_dataset(folder, name))


def test_an_unknown_format_names_the_known(tmp_path):
    with pytest.raises(UsageError, match="choose one of coco, film_aa, film_r, artefact"):
        open_dataset(tmp_path, "voc")


def test_classes_match_kinds_that_exist():
    for classes in (FILM_AA, ARTEFACT):
        assert all(CLEAN < value < UNJUDGED for value in classes)
        kinds = {label.kind for label in classes.values() if label.kind}
        assert kinds <= KINDS.keys(), kinds - KINDS.keys()
    assert list(ARTEFACT) == list(range(1, 16))


# FILM-AA


def test_polygons_cover_their_pixels(tmp_path):
    [sample] = open_dataset(film_aa(tmp_path), "film_aa")
    assert sample.mask.sum() == 100 and sample.mask[5:15, 10:20].all()
    assert sample.classes[int(sample.labels[7, 12])].kind == "dust"


def test_a_speck_on_a_hair_keeps_its_label(tmp_path):
    hair = artefact_polygon("Long hair", (2, 8), (58, 8), (58, 11), (2, 11))
    [sample] = open_dataset(film_aa(tmp_path, [artefact_polygon("Dust", *SQUARE), hair]), "film_aa")
    names = {sample.classes[int(value)].name for value in np.unique(sample.labels[8:11, 10:20])}
    assert names == {"Dust"} and sample.classes[int(sample.labels[9, 40])].name == "Long hair"


def test_without_its_scan_there_are_labels_only(tmp_path):
    (film_aa(tmp_path) / "images" / "scan_1.png").unlink()
    [sample] = open_dataset(tmp_path / "scan_1.json", "film_aa")
    assert sample.image is None and not sample.meta["size_known"]
    assert sample.labels.shape == (20, 30) and sample.mask.sum() == 100


def test_scans_annotated_at_two_thirds_are_scaled(tmp_path):
    [sample] = open_dataset(film_aa(tmp_path, name="scan_8"), "film_aa")
    assert sample.mask.sum() == 16 * 15 and sample.mask[8:22, 15:30].all()


def test_a_polygon_outside_its_scan_is_refused(tmp_path):
    far = artefact_polygon("Dirt", (50, 5), (70, 5), (70, 15))
    with pytest.raises(UsageError, match=r"artefact 1 lies outside scan_1\.png \(61 x 48 pixels\)"):
        list(open_dataset(film_aa(tmp_path, [artefact_polygon("Dust", *SQUARE), far]), "film_aa"))
    with pytest.raises(UsageError, match="artefact 0 lies"):
        negative = artefact_polygon("Dirt", (-9, 5), (7, 5), (7, 15))
        list(open_dataset(film_aa(tmp_path, [negative]), "film_aa"))


def test_an_unknown_label_is_refused(tmp_path):
    with pytest.raises(UsageError, match="not an annotation"):
        list(open_dataset(film_aa(tmp_path, [artefact_polygon("Mould", *SQUARE)]), "film_aa"))


# FILM-R


def test_damage_is_where_the_restorer_was(tmp_path):
    [sample] = open_dataset(film_r(tmp_path), "film_r")
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[20:30, 12:14] = True
    assert np.array_equal(sample.mask, expected) and sample.image.dtype == np.uint16


def test_compression_is_not_damage():
    rng = np.random.default_rng(2)
    grainy = np.clip(picture(1, 96, 96).astype(float) + rng.normal(0, 6, (96, 96, 3)), 0, 255).astype(np.uint8)
    saved = cv2.imdecode(cv2.imencode(".jpg", grainy, [cv2.IMWRITE_JPEG_QUALITY, 90])[1], cv2.IMREAD_COLOR)
    saved[40:46, 50:53] = 255
    mask, tolerance = changed(grainy, saved)
    assert mask[40:46, 50:53].mean() > 0.9
    mask[38:48, 48:55] = False
    assert mask.mean() < 0.001 and tolerance < 0.2


def test_pairs_are_checked(tmp_path):
    folder = film_r(tmp_path)
    restored = folder / "restored" / "one.png"
    write(restored, picture(kind=np.uint16)[:-1])
    with pytest.raises(UsageError, match=r"one\.png is 61 x 47 pixels and .*61 x 48; give both at one size"):
        list(open_dataset(folder, "film_r"))
    write(folder / "damaged" / "one.png", picture(0, 200, 300))
    write(restored, np.roll(picture(0, 200, 300), 2, axis=1))
    with pytest.raises(UsageError, match=r"shifted by (1\.9|2\.\d), -?0\.\d pixels.*bring the pair into register"):
        list(open_dataset(folder, "film_r"))
    write(restored, picture(5, 200, 300))
    with pytest.raises(UsageError, match=r"differs from .* all over the picture; pair scans of one picture"):
        list(open_dataset(folder, "film_r"))


def test_a_scan_without_its_other_half_is_named(tmp_path):
    folder = film_r(tmp_path)
    write(folder / "restored" / "two.png", picture())
    with pytest.raises(UsageError, match=r"two of .*restored has no file of its name in .*damaged"):
        open_dataset(folder, "film_r")
    write(folder / "damaged" / "two.bmp.png", picture())
    with pytest.raises(UsageError, match=r"two\.bmp of .*damaged has no file"):
        open_dataset(folder, "film_r")


def test_any_two_folders_can_be_paired(tmp_path):
    folder = film_r(tmp_path)
    [sample] = FilmR.pairs(folder / "damaged", folder / "restored", tolerance=0.05)
    assert sample.mask.sum() == 20 and sample.meta["tolerance"] == pytest.approx(0.05)


# ARTeFACT


def test_rows_come_with_their_words(tmp_path):
    [sample] = open_dataset(artefact(tmp_path), "artefact")
    assert sample.meta["material"] == "Film emulsion" and sample.meta["verified_description"] is None
    assert not sample.judged[:4].any() and sample.judged[4:].all()
    assert sample.mask.sum() == 50 and sample.classes[13].kind == "perforation damage"


def test_labels_in_a_palette_are_numbers_not_colours(tmp_path):
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[10:15, 10:20] = 9
    plain = png(labels)
    # The same picture with a palette of other colours: header, palette, then the chunks as they are.
    header = plain[12:25] + b"\x03" + plain[26:29]
    assert len(header) == 17
    colours = np.random.default_rng(0).integers(0, 256, 768, dtype=np.uint8).tobytes()
    chunk = b"PLTE" + colours
    with_palette = (
        plain[:12]
        + header
        + struct.pack(">I", zlib.crc32(header))
        + struct.pack(">I", 768)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + plain[33:]
    )
    entry = row(labels)
    entry["annotation"]["bytes"] = with_palette
    [sample] = open_dataset(artefact(tmp_path, [entry]), "artefact")
    assert np.array_equal(sample.labels, labels)


def test_pictures_may_lie_beside_the_file_but_nowhere_else(tmp_path):
    entry = row()
    write(tmp_path / "data" / "pictures" / "labels.png", np.full((HEIGHT, WIDTH), 3, np.uint8))
    entry["annotation"] = {"bytes": None, "path": "pictures/labels.png"}
    [sample] = open_dataset(artefact(tmp_path / "data", [entry]), "artefact")
    assert sample.mask.all()
    write(tmp_path / "labels.png", np.full((HEIGHT, WIDTH), 3, np.uint8))
    entry["annotation"] = {"bytes": None, "path": "../labels.png"}
    with pytest.raises(UsageError, match="is missing; save the dataset with its pictures embedded"):
        list(open_dataset(artefact(tmp_path / "data", [entry]), "artefact"))


def label_picture(value: int) -> np.ndarray:
    return np.full((HEIGHT, WIDTH), value, np.uint8)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([row(), row(label_picture(16))], "row 1: the annotation holds label 16"),
        ([row(label_picture(3)[:-1])], "row 0: the annotation is 61 x 47 pixels and the image 61 x 48"),
        ([row(picture())], "row 0: the annotation is not a picture of label numbers"),
        ([{**row(), "annotation": {"bytes": b"no picture", "path": None}}], "row 0: the annotation is not a picture"),
        ([{**row(), "image": {"bytes": b"no picture", "path": None}}], "row 0: the image cannot be decoded"),
        ([{**row(), "image": None}], "row 0 has no image"),
    ],
)
def test_a_broken_row_is_named(rows, says, tmp_path):
    with pytest.raises(UsageError, match=says) as caught:
        list(open_dataset(artefact(tmp_path, rows), "artefact"))
    assert "train-00000-of-00001.parquet" in str(caught.value)


def test_wrong_columns_are_named(tmp_path):
    file = tmp_path / "other.parquet"
    parquet.write_table(pyarrow.table({"image": [1], "text": ["a"]}), file)
    with pytest.raises(UsageError, match=r"other\.parquet has no column annotation; give a file with"):
        open_dataset(file, "artefact")
    entry = {"image": "one.png", "annotation": "two.png", "annotation_rgb": None}
    parquet.write_table(table([entry], pictures=False), file)
    with pytest.raises(UsageError, match="column image is string, not pictures"):
        open_dataset(file, "artefact")


# COCO


def test_categories_that_are_ours_are_recognised(tmp_path):
    reader = open_dataset(coco(tmp_path), "coco")
    assert reader.classes[2].kind == "dust"
    [sample] = reader
    assert sample.meta["split"] == "train" and sample.meta["annotations"][0]["bbox"] == [10, 5, 10, 10]


def set_in(table: str, **values):
    def change(document: dict) -> None:
        document[table][0].update(values)

    return change


def without(table: str, key: str):
    def change(document: dict) -> None:
        del document[table][0][key]

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda document: document.pop("categories"), "has no table of categories"),
        (without("annotations", "segmentation"), "one of its annotations has no segmentation"),
        (set_in("annotations", category_id=9), "annotation 1 is of category 9, which is not"),
        (set_in("annotations", image_id=9), "annotation 1 is of image 9, which it does not list"),
        (set_in("annotations", segmentation=[[10, 5, 90, 5, 20, 15]]), "annotation 1: a polygon lies outside"),
        (set_in("annotations", segmentation={"size": [48, 61], "counts": [5]}), "annotation 1: run lengths do not"),
        (set_in("annotations", segmentation=[[10, 5, 20, 5, 20, 14, 10, 14]]), "does not agree with the annotations"),
        (set_in("categories", id=300), "has the number 300; number them from 1 to 254"),
        (set_in("images", width=60), "is 61 x 48 pixels, .* says 60 x 48"),
        (set_in("images", file_name="../../secret.png"), "which is not in its folder"),
        (set_in("images", file_name="frames/2.png"), "does not exist"),
    ],
)
def test_a_broken_coco_file_is_one_sentence(change, says, tmp_path):
    with pytest.raises(UsageError, match=says) as caught:
        list(open_dataset(coco(tmp_path, change), "coco"))
    assert "\n" not in str(caught.value)


def test_a_mask_of_other_values_is_refused(tmp_path):
    folder = coco(tmp_path)
    write(folder / "train" / "masks" / "000001.png", np.full((HEIGHT, WIDTH), 7, np.uint8))
    with pytest.raises(UsageError, match="not all 0 and 255"):
        list(open_dataset(folder, "coco"))
