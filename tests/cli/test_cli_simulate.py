"""`reelmend simulate` from the command line."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from reelmend import cli
from reelmend.cli.app import app
from reelmend.cli.simulate import scans
from reelmend.errors import UsageError
from reelmend.simulate.recipe import load_recipe

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "simulate.md").read_text(encoding="utf-8")
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands["simulate"].commands  # type: ignore[attr-defined]


@pytest.fixture
def clean(make_container: Callable[..., Path]) -> str:
    return str(make_container("clean.mkv"))


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.strip()


def test_a_reel_is_damaged_with_and_without_the_word_run(
    clean: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = tmp_path / "one.mkv", tmp_path / "other.mkv"
    assert cli.main(["simulate", clean, str(one), "--masks", str(tmp_path / "one"), "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert "6 frames of 35mm film by the recipe standard, seed 3" in out
    assert str(tmp_path / "one.annotations.json") in out
    again = ["simulate", "run", clean, str(other), "--masks", str(tmp_path / "other"), "--quiet"]
    assert cli.main([*again, "--recipe", str(tmp_path / "one.recipe.toml")]) == 0
    assert capsys.readouterr().out == ""
    assert one.read_bytes() == other.read_bytes()


def test_options_may_come_first(clean: str, tmp_path: Path) -> None:
    masks, out = tmp_path / "m.mkv", tmp_path / "o.mkv"
    options = ["--masks", str(masks), "--recipe", "home-movie", "--start", "2", "--frames", "1", "-q"]
    assert cli.main(["simulate", *options, "--reference", str(tmp_path / "r.mkv"), clean, str(out)]) == 0
    assert masks.exists() and out.exists() and (tmp_path / "r.mkv").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument 'CLEAN'"),
        (["{clean}"], "Missing argument 'OUTPUT'"),
        (["{clean}", "{out}"], "Missing option '--masks'"),
        (["{clean}", "{out}", "--masks", "{out}"], "give them different names"),
        (["{clean}", "{clean}", "--masks", "{masks}"], "is the source itself"),
        (["{clean}", "{out}", "--masks", "{clean}"], "is the source itself"),
        (["{clean}", "{out}", "--masks", "{masks}", "--recipe", "nice"], "no recipe is called nice"),
        (["{clean}", "{out}", "--masks", "{masks}", "--frames", "0"], "--frames"),
        (["{clean}", "{out}", "--masks", "{masks}", "--start", "6"], "has no frame 6"),
        (["none.mov", "{out}", "--masks", "{masks}"], "none.mov does not exist"),
        (["{clean}", "{out}", "--maskss", "{masks}"], "No such option: --maskss"),
        (["fit", "{empty}"], "holds no annotations"),
        (["fit", "{clean}", "-o", "{clean}"], "exists already; --overwrite replaces it"),
        (["dataset", "{empty}"], "Missing argument 'OUT'"),
        (["dataset", "{empty}", "{out}", "--count", "1", "--splits", "0.5,0.5"], "is not three shares"),
        (["dataset", "{empty}", "{out}", "--count", "1", "--splits", "0.5,0.5,0.5"], "adding up to 1"),
        (["dataset", "{empty}", "{out}", "--count", "1", "--bits", "12"], "choose 8 or 16"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(
    clean: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    before = Path(clean).read_bytes()
    (tmp_path / "empty").mkdir()
    places = {"clean": clean, "empty": str(tmp_path / "empty")}
    places |= {name: str(tmp_path / f"{name}.mkv") for name in ("out", "masks")}
    assert cli.main(["simulate", *(argument.format(**places) for argument in arguments)]) == 2
    error = said(capsys)
    assert words in error
    assert error.count("\n") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean.mkv", "empty"]
    assert Path(clean).read_bytes() == before


def test_an_output_that_exists_is_kept_unless_told(
    clean: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["simulate", clean, str(tmp_path / "o.mkv"), "--masks", str(tmp_path / "m"), "-q", "--frames", "1"]
    assert cli.main(command) == 0
    first = (tmp_path / "o.mkv").read_bytes()
    assert cli.main([*command, "--seed", "8"]) == 2
    assert "--overwrite replaces it" in said(capsys)
    assert (tmp_path / "o.mkv").read_bytes() == first
    assert cli.main([*command, "--seed", "8", "--overwrite"]) == 0
    assert (tmp_path / "o.mkv").read_bytes() != first


def test_ctrl_c_says_that_nothing_was_written(
    clean: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from reelmend.simulate.simulation import Simulation

    def stop(self: Simulation, frame: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Simulation, "frame", stop)
    assert cli.main(["simulate", clean, str(tmp_path / "o.mkv"), "--masks", str(tmp_path / "m")]) == 130
    assert "stopped; nothing was written" in said(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["clean.mkv"]


def test_a_missing_research_library_is_said_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from reelmend.simulate.fit import fit

    def lacking(paths: object) -> None:
        raise ModuleNotFoundError("No module named 'scipy'", name="scipy")

    monkeypatch.setattr(fit, "fit_statistics", lacking)
    (tmp_path / "scan_1.json").write_text("{}")
    assert cli.main(["simulate", "fit", str(tmp_path), "-o", str(tmp_path / "s.json")]) == 2
    error = said(capsys)
    assert "needs scipy" in error and "pip install 'reelmend[train]'" in error


def test_folders_of_annotations_are_looked_into(tmp_path: Path) -> None:
    for name in ("b.json", "a.json"):
        (tmp_path / name).write_text("{}")
    single = tmp_path / "b.json"
    assert scans([single, tmp_path]) == [single, tmp_path / "a.json", tmp_path / "b.json"]
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match="holds no annotations"):
        scans([tmp_path / "none"])


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["simulate", "--help"]) == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"\b{name}\b", out) for name in COMMANDS)
    assert "CLEAN OUTPUT --masks PATH" in out
    assert cli.main(["simulate", "clean.mkv", "--help"]) == 0
    assert "--recipe" in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_on_the_page(name: str) -> None:
    arguments = [p.metavar for p in COMMANDS[name].params if p.param_type_name == "argument"]
    words = ["reelmend", "simulate", *([] if name == "run" else [name]), *arguments]
    assert f"`{' '.join(words)}`" in PAGE
    for parameter in COMMANDS[name].params:
        for flag in parameter.opts:
            if flag.startswith("--"):
                assert re.search(rf"`[^`]*{flag}\b[^`]*`", PAGE), f"{flag} of {name} is not documented"


def test_the_recipe_tables_are_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("recipe_tables", ROOT / "tools" / "recipe_tables.py")
    assert spec and spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.page() == PAGE, "run python tools/recipe_tables.py"


def test_the_example_recipe_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PAGE.split("```toml\n")[1].split("```")[0])
    assert load_recipe(tmp_path / "mine.toml").damage["gate hair"].frames == (24, 240)


def test_annotation_keys_are_on_the_page() -> None:
    import numpy as np

    from reelmend.simulate.annotations import annotate
    from reelmend.simulate.defect import Cover, Defect, Ink, Pose
    from reelmend.simulate.optics import expose

    defect = Defect("dust", None, Pose(0, 0, 1), Ink(softness=0))
    entry = annotate(defect, expose(Cover(np.ones((3, 3), np.float32), 1, 1), defect.ink, 9, 9), 0)
    assert entry is not None
    assert all(f"| `{key}` |" in PAGE for key in entry)
