"""Clean sources in a folder: what is a film, what a photograph, whose split, whose terms."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from reelmend.errors import UsageError
from reelmend.simulate.dataset.plan import Settings, plans
from reelmend.simulate.dataset.sources import SPLITS, find_sources

SHARES = (0.6, 0.2, 0.2)


def picture(seed: int, height: int = 72, width: int = 96) -> np.ndarray:
    noise = np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 5)
    return np.rint((smooth - smooth.min()) / np.ptp(smooth) * 255).astype(np.uint8)


def write(path: Path, array: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), array)
    return path


def film(folder: Path, frames: int = 4, seed: int = 0, name: str = "shot_{:04d}.png", first: int = 1) -> Path:
    """A numbered sequence that pans slowly over one picture."""
    scene = picture(seed, 72, 120)
    for at in range(frames):
        write(folder / name.format(first + at), scene[:, 2 * at : 2 * at + 96])
    return folder


def test_films_and_photographs_are_told_apart(tmp_path):
    film(tmp_path / "roll")
    for at in range(1, 5):
        write(tmp_path / "camera" / f"IMG_{at:04d}.png", picture(100 + at))
    write(tmp_path / "lone.png", picture(7))
    (tmp_path / "notes.pdf").write_text("no picture")
    write(tmp_path / ".hidden" / "secret.png", picture(8))
    sources, notes = find_sources(tmp_path)
    assert notes == []
    kinds = {source.name: source.kind for source in sources}
    assert kinds == {
        "lone.png": "photograph",
        **{f"camera/IMG_{at:04d}.png": "photograph" for at in range(1, 5)},
        "roll/shot_%04d.png": "film",
    }
    [roll] = [source for source in sources if source.kind == "film"]
    assert (roll.frames, roll.height, roll.width) == (4, 72, 96)


def test_frames_taken_here_and_there_share_one_split(tmp_path):
    film(tmp_path, 6, name="grab_{:03d}.png")
    (tmp_path / "grab_003.png").unlink()
    sources, _ = find_sources(tmp_path)
    assert len(sources) == 5 and {source.kind for source in sources} == {"photograph"}
    assert len({source.place for source in sources}) == 1 and len({source.sha256 for source in sources}) == 5


def test_a_split_follows_from_the_bytes_alone(tmp_path):
    for at in range(40):
        write(tmp_path / "a" / f"picture-{chr(97 + at % 26)}{at}.png", picture(at))
    before = {source.sha256: source.split(SHARES) for source in find_sources(tmp_path)[0]}
    assert set(before.values()) == set(SPLITS)
    for at in range(40, 60):
        write(tmp_path / "b" / f"new-{at}-x.png", picture(at))
    shutil.copy(tmp_path / "a" / "picture-a0.png", tmp_path / "b" / "again.png")
    (tmp_path / "a" / "picture-b1.png").rename(tmp_path / "renamed.png")
    after, _ = find_sources(tmp_path)
    assert all(source.split(SHARES) == before[source.sha256] for source in after if source.sha256 in before)
    twins = [source for source in after if source.name in ("a/picture-a0.png", "b/again.png")]
    assert len(twins) == 2 and len({source.split(SHARES) for source in twins}) == 1


def test_splits_have_their_shares(tmp_path):
    # 4000 places by digest: the standard deviation of a share of 0.6 is 0.008.
    import hashlib

    from reelmend.simulate.dataset.sources import _place

    places = np.array([_place(hashlib.sha256(str(at).encode()).hexdigest()) for at in range(4000)])
    assert abs((places < 0.6).mean() - 0.6) < 0.03 and abs((places > 0.8).mean() - 0.2) < 0.03


def test_the_nearest_licence_counts(tmp_path):
    write(tmp_path / "one.png", picture(1))
    write(tmp_path / "deep" / "below" / "two.png", picture(2))
    write(tmp_path / "own" / "three.png", picture(3))
    (tmp_path / "README.md").write_text("\n# All of it\nmine")
    (tmp_path / "LICENSE").write_text("CC0 1.0 Universal\n\nmore")
    (tmp_path / "own" / "copyright.them").write_text("CC-BY-SA-4.0")
    terms = {source.name: [entry["says"] for entry in source.licence] for source in find_sources(tmp_path)[0]}
    assert terms == {
        "one.png": ["CC0 1.0 Universal"],
        "deep/below/two.png": ["CC0 1.0 Universal"],
        "own/three.png": ["CC-BY-SA-4.0"],
    }


def test_what_cannot_be_read_is_named_and_passed_over(tmp_path):
    write(tmp_path / "good.png", picture(1))
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "bad.jpg").write_bytes(b"not a JPEG at all")
    sources, notes = find_sources(tmp_path)
    assert [source.name for source in sources] == ["good.png"]
    assert len(notes) == 2 and all(note.endswith("; passed over") for note in notes)
    assert any("bad.jpg" in note for note in notes) and any("empty.mp4" in note for note in notes)


def test_nothing_to_use_is_one_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no film and no image; give a folder of clean"):
        find_sources(tmp_path / "empty")
    (tmp_path / "bad.jpg").write_bytes(b"not a JPEG at all")
    with pytest.raises(UsageError, match=r"that can be used \(.*bad\.jpg"):
        find_sources(tmp_path)
    with pytest.raises(UsageError, match="is not a folder"):
        find_sources(tmp_path / "missing")


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    for at in range(30):
        write(folder / f"still-{at}-.png", picture(at))
    for at in range(6):
        film(folder / f"roll{at}", 3, seed=200 + at)
    return find_sources(folder)[0]


def test_a_small_dataset_is_the_beginning_of_a_large_one(many):
    settings = Settings(window=3, splits=SHARES)
    large = list(plans(many, 60, 5, settings))
    assert list(plans(many, 20, 5, settings)) == large[:20]
    assert [plan.number for plan in large] == list(range(60))
    assert large != list(plans(many, 60, 6, settings))


def test_every_sample_lies_in_its_sources_split(many):
    settings = Settings(splits=SHARES)
    for plan in plans(many, 100, 0, settings):
        assert plan.split == plan.source.split(SHARES)


def test_splits_get_their_samples_to_the_last_one(many):
    for count in (10, 37, 100):
        dealt = [plan.split for plan in plans(many, count, 0, Settings(splits=SHARES))]
        for split, share in zip(SPLITS, SHARES, strict=True):
            assert abs(dealt.count(split) - share * count) <= 1


def test_a_new_source_takes_samples_and_shuffles_none(many):
    settings = Settings(splits=(1.0, 0.0, 0.0))
    before = [plan.source.name for plan in plans(many[1:], 200, 3, settings)]
    after = [plan.source.name for plan in plans(many, 200, 3, settings)]
    new = many[0].name
    moved = [(one, two) for one, two in zip(before, after, strict=True) if one != two]
    assert moved
    # Weights of one kind change a little with its number, so a few samples may go to the other kind.
    assert sum(two != new for _, two in moved) <= 4


def test_photographs_have_the_share_asked_for(many):
    settings = Settings(window=3, splits=(1.0, 0.0, 0.0), photographs=0.3)
    kinds = [plan.source.kind for plan in plans(many, 600, 1, settings)]
    assert abs(kinds.count("photograph") / 600 - 0.3) < 0.08
    settings = Settings(splits=(1.0, 0.0, 0.0), photographs=0.0)
    assert {plan.source.kind for plan in plans(many, 50, 1, settings)} == {"film"}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"window": 2}, "choose 1, 3 or 5"),
        ({"size": 8}, "choose 32 to 4096"),
        ({"bits": 10}, "choose 8 or 16"),
        ({"splits": (0.8, 0.1, 0.2)}, "adding up to 1"),
        ({"splits": (1.2, -0.1, -0.1)}, "adding up to 1"),
        ({"photographs": 1.5}, "choose 0 to 1"),
        ({"shrink": 0.5}, "choose 1 to 16"),
    ],
)
def test_settings_out_of_limits_are_one_sentence(values, says):
    with pytest.raises(UsageError, match=says):
        Settings(**values)
