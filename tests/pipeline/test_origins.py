"""The film of origins: it marks what repair may have changed, no more, and says where it came from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import reelmend
from reelmend.errors import UsageError
from reelmend.film import Layout
from reelmend.media import open_mask_reader, open_reel
from reelmend.repair import FilledBy, grow
from reels import in_layout, long_reel, write_reel

FRAMES = 9


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_reel(tmp_path_factory.mktemp("reel") / "scan.mkv", in_layout(long_reel(), Layout("gray", 8))[:FRAMES])


def planes(path: Path) -> list[np.ndarray]:
    with open_reel(path) as film:
        return [frame.planes[0] for frame in film.frames()]


@pytest.mark.parametrize(("name", "codes"), [
    ("temporal", {FilledBy.TEMPORAL, FilledBy.SPATIAL}),
    ("spatial", {FilledBy.SPATIAL}),
    ("temporal-net", {FilledBy.TEMPORAL, FilledBy.SPATIAL, FilledBy.NETWORK}),
])  # fmt: skip
def test_origins_are_of_the_grown_mask_and_nothing_else_changed(
    reel: Path, tmp_path: Path, name: str, codes: set[FilledBy]
) -> None:
    reelmend.restore(
        reel, tmp_path / "out.mkv", masks=tmp_path / "masks", origins=tmp_path / "origins.mkv", repairer=name,
        detector="spike", regrain=False, grow=2,
    )  # fmt: skip
    origins, before, after = (planes(path) for path in (tmp_path / "origins.mkv", reel, tmp_path / "out.mkv"))
    assert len(origins) == FRAMES
    found = 0
    for n, origin in enumerate(origins):
        with open_mask_reader(tmp_path / "masks", *origin.shape) as masks:
            mask = grow(masks.mask(n), 2)
        # A network may find nothing wrong with the rim of a grown mask; the others fill all of it.
        assert not origin[~mask].any()
        if name != "temporal-net":
            assert (origin[mask] > 0).all()
        assert (before[n][origin == 0] == after[n][origin == 0]).all()
        assert set(np.unique(origin)) <= {0} | {60 * code for code in codes}
        found += int(mask.sum())
    assert found > 0


def test_a_folder_of_origins_and_of_repair(reel: Path, tmp_path: Path) -> None:
    reelmend.detect(reel, tmp_path / "masks", detector="spike")
    reelmend.repair(reel, tmp_path / "masks", tmp_path / "out.mkv", origins=tmp_path / "origins", repairer="spatial")
    assert (tmp_path / "origins" / "origin_000000.png").exists()
    assert len(list((tmp_path / "origins").iterdir())) == FRAMES


def test_origins_may_not_lie_where_masks_do(reel: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="different names"):
        reelmend.restore(reel, tmp_path / "out.mkv", masks=tmp_path / "m", origins=tmp_path / "m")
