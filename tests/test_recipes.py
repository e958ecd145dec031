"""Recipe files that build on one another."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelmend.errors import UsageError
from reelmend.recipes import read_recipe


def read(folder: Path, name: str) -> dict[str, object]:
    return read_recipe(folder / f"{name}.toml", lambda known: folder / f"{known}.toml", ("note",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plain.toml").write_text(
        'note = "plain"\nsteps = 5\nsides = [1, 2]\n[net]\nname = "unet"\nsizes = { width = 8, depth = 2 }\n'
    )
    (tmp_path / "wider.toml").write_text('like = "plain"\nsides = [3]\n[net.sizes]\nwidth = 16\n')
    return tmp_path


def test_what_is_not_said_is_taken_from_the_recipe_beneath(folder: Path) -> None:
    assert read(folder, "wider") == {
        "steps": 5,
        "sides": [3],
        "net": {"name": "unet", "sizes": {"width": 16, "depth": 2}},
    }


def test_the_recipe_beneath_may_be_a_file_beside_it_and_build_on_another(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "longer.toml").write_text('like = "../wider.toml"\nsteps = 9\nnote = "own"\n')
    values = read(folder, "sub/longer")
    assert (values["steps"], values["sides"], values["note"]) == (9, [3], "own")
    assert "like" not in values


def test_a_circle_is_refused(folder: Path) -> None:
    (folder / "plain.toml").write_text('like = "wider"\n')
    with pytest.raises(UsageError, match=r"builds on itself: wider\.toml on plain\.toml on wider\.toml"):
        read(folder, "wider")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("like = 3", "like in .* names a recipe or a file, it cannot be 3"),
        ("like =", "not a valid TOML file"),
        ('like = "nowhere.toml"', r"nowhere\.toml: cannot read the recipe"),
    ],
)
def test_what_cannot_be_read_is_said(folder: Path, text: str, words: str) -> None:
    (folder / "wider.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        read(folder, "wider")


def test_a_file_that_is_no_text_is_said(folder: Path) -> None:
    (folder / "wider.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not a valid TOML file"):
        read(folder, "wider")
