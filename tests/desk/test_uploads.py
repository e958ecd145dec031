"""Films dropped on the page: kept whole or not at all, under names that are no places."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmend.desk.uploads import Uploads
from reelmend.errors import UsageError


async def parts(given: Iterable[bytes]) -> AsyncIterator[bytes]:
    for one in given:
        yield one


def take(uploads: Uploads, name: str, *given: bytes, batch: str = "one") -> int:
    return asyncio.run(uploads.take(batch, name, parts(given)))


def test_a_film_is_kept_as_it_came_and_images_open_as_their_folder(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads")
    assert take(uploads, "reel 1.mkv", b"ab", b"c") == 3
    assert uploads.source("one").read_bytes() == b"abc"
    assert uploads.source("one").stat().st_mode & 0o111 == 0
    for n in range(3):
        take(uploads, f"f_{n}.png", b"x", batch="images")
    assert uploads.source("images") == tmp_path / "uploads" / "images"


def test_what_is_too_large_leaves_nothing(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, largest=1 << 20)
    with pytest.raises(UsageError, match=r"reel.mkv is larger than 1 MB; open it by its path"):
        take(uploads, "reel.mkv", b"x" * (1 << 20), b"x")
    assert not list((tmp_path / "one").iterdir())
    with pytest.raises(UsageError, match="nothing was dropped"):
        uploads.source("one")


def test_another_file_of_the_same_name_is_refused_and_the_same_one_is_not(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    take(uploads, "a.mkv", b"abc")
    with pytest.raises(UsageError, match="another"):
        take(uploads, "a.mkv", b"other")
    assert take(uploads, "a.mkv", b"abc") == 3
    assert [one.name for one in (tmp_path / "one").iterdir()] == ["a.mkv"]


@given(
    st.sampled_from(["", ".", "..", "../a", "a/b", "a\\b", ".hidden", "a\0b", "~x", "-x", "a\nb", "x" * 200])
    | st.text(max_size=20)
)
def test_names_stay_in_their_folder(name: str) -> None:
    uploads = Uploads(Path("/nowhere"))
    try:
        place = uploads._place(name)
    except UsageError:
        return
    assert place.parent == Path("/nowhere") and place.name == name and not name.startswith(".")
