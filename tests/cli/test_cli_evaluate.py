"""`reelmend evaluate` from the command line, and that its page says all of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer
from tests.evaluate.small import FRAMES, HEIGHT, WIDTH, truth, write_all, write_masks

from reelmend import cli
from reelmend.cli.evaluate import app
from reelmend.evaluate.bootstrap import DRAWS
from reelmend.evaluate.boundary import TOLERANCE
from reelmend.evaluate.pictures import KEPT

PAGE = (Path(__file__).parents[2] / "docs" / "evaluate.md").read_text(encoding="utf-8")
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
FEW = ["--draws", "50"]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_all(tmp_path_factory.mktemp("room"))


@pytest.fixture(autouse=True)
def here(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(room)


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert cli.main(["evaluate", *arguments]) == code
    captured = capsys.readouterr()
    if code:
        assert captured.out == ""
        assert len(captured.err.splitlines()) == 1, captured.err
        return captured.err
    return captured.out


def test_masks_as_a_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["--source", "damaged", "--classes", "annotations.json", "--out", str(tmp_path / "out"), *FEW]
    text = run(capsys, "masks", "found", "truth", *arguments)
    assert re.search(r"precision +0\.714 \(0\.\d+ to 0\.\d+\)", text)
    assert re.search(r"long_hair +3 +0 +0\.000 +120 +0\.000", text)
    assert re.search(r"^ 3 +0\.000 +- +1\.000 +0\.000 +0\.000", text, re.MULTILINE), "the clean frame has no recall"
    assert "the same on 1 clean frame " in text
    assert (tmp_path / "out" / "result.json").exists()
    assert len(list((tmp_path / "out").glob("overlay_*.png"))) == FRAMES


def test_json_is_the_result_and_holds_the_command_as_given(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["masks", "found", "truth", "--json", "--seed", "4", "--made-by", "my tool", "--start", "1", *FEW]
    made = json.loads(run(capsys, *arguments))
    assert made["frames"] == FRAMES - 1
    assert made["provenance"]["command"] == (
        "reelmend evaluate masks found truth --made-by 'my tool' --start 1 --seed 4 --draws 50 --json"
    )
    assert made["provenance"]["seed"] == made["bootstrap"]["seed"] == 4
    assert made["name"] == "found"


def test_a_restoration_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "restoration", "restored", "clean", "--masks", "truth", "--damaged", "damaged", *FEW)
    assert re.search(r"outside +identical", text)
    assert "identical outside" in text and "yes, all" in text
    assert re.search(r"grain variance, inside over around +-", text)
    alone = run(capsys, "restoration", "restored", "clean", "--masks", "truth", *FEW)
    assert "not checked: needs --damaged" in alone


def test_a_touched_outside_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(
        capsys, "restoration", "clean", "clean", "--masks", "found", "--damaged", "damaged", "--grow", "0", *FEW
    )  # fmt: skip
    assert "no: 210 of" in text


def test_a_sweep_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "sweep", "maps", "truth", *FEW)
    assert re.search(r"average precision +0\.\d{3} \(0\.\d{3} to [01]\.\d{3}\)", text)
    assert "best threshold, by Dice" in text
    assert re.search(r"0\.9 to 1 ", text)


def test_results_become_a_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    paths = []
    for name in ("found", "truth"):
        run(capsys, "masks", name, "truth", "--out", str(tmp_path / name), *FEW)
        paths.append(str(tmp_path / name / "result.json"))
    said = run(capsys, "table", *paths, "-o", str(tmp_path / "table"), "--title", "Two masks").split()
    assert said == [str(tmp_path / "table" / f"table.{suffix}") for suffix in ("md", "csv", "html")]
    assert (tmp_path / "table" / "table.md").read_text().startswith("# Two masks\n")


def test_many_frames_show_the_worst(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write_masks(tmp_path / "true", [truth(0)] * 25)
    write_masks(tmp_path / "found", [truth(0) if n != 23 else truth(1) for n in range(25)])
    text = run(capsys, "masks", str(tmp_path / "found"), str(tmp_path / "true"), *FEW)
    assert "the 20 worst of 25 frames" in text
    assert re.search(r"^ 23 +0\.000 +0\.000", text, re.MULTILINE)


def bad(tmp_path: Path, kind: str) -> Path:
    masks = [truth(n) for n in range(FRAMES)]
    if kind == "narrow":
        masks = [mask[:, 1:] for mask in masks]
    folder = write_masks(tmp_path / kind, masks[:-1] if kind == "short" else masks)
    if kind == "gray":
        cv2.imwrite(str(folder / "mask_000002.png"), np.full((HEIGHT, WIDTH), 7, np.uint8))
    if kind == "gap":
        (folder / "mask_000001.png").unlink()
    return folder


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("narrow", f"narrow is {WIDTH - 1}x{HEIGHT}"),
        ("short", "frame 3 is missing from"),
        ("gap", "frame 1 is missing from"),
        ("gray", "mask_000002.png has the value 7"),
    ],
)
def test_bad_masks_are_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str, said: str) -> None:
    folder = str(bad(tmp_path, kind))
    assert said in run(capsys, "masks", folder, "truth", code=2)
    assert said in run(capsys, "masks", "truth", folder, code=2)
    assert said in run(capsys, "sweep", "maps", folder, code=2)
    inside = run(capsys, "restoration", "restored", "clean", "--masks", folder, code=2)
    assert said.removesuffix(" from") in inside


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["masks", "nowhere", "truth"], "nowhere does not exist"),
        (["masks", "clean", "truth"], "holds no masks"),
        (["masks", "found", "truth", "--classes", "nowhere.json"], "nowhere.json does not exist"),
        (["masks", "found", "truth", "--source", "clean"], "--out"),
        (["masks", "found", "truth", "--start", "50"], "none of those asked for"),
        (["restoration", "restored", "clean"], "--masks"),
        (["restoration", "restored", "nowhere", "--masks", "truth"], "nowhere does not exist"),
        (["table", "nowhere/result.json", "-o", "tables"], "does not exist"),
        (["table", "annotations.json", "-o", "tables"], "no result of reelmend evaluate"),
    ],
)
def test_mistakes_are_one_sentence(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert said in run(capsys, *arguments, code=2)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_its_arguments_and_options(name: str) -> None:
    parameters = COMMANDS[name].params
    arguments = [each.metavar for each in parameters if each.param_type_name == "argument"]
    assert f"reelmend evaluate {' '.join([name, *arguments])}" in PAGE
    for flag in {flag for each in parameters for flag in each.opts if flag.startswith("-")} - {"--help"}:
        assert re.search(rf"`[^`\n]*(?<![\w-]){flag}\b[^`\n]*`", PAGE), f"{flag} of {name} is not documented"


def test_the_page_names_no_option_that_does_not_exist() -> None:
    known = {flag for command in COMMANDS.values() for each in command.params for flag in each.opts}
    written = PAGE.split("<!-- table")[0]
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", written)) <= known


def test_defaults_are_those_of_the_measuring_room() -> None:
    defaults = {each.name: each.default for each in COMMANDS["masks"].params}
    assert (defaults["draws"], defaults["tolerance"], defaults["pictures"]) == (DRAWS, TOLERANCE, KEPT)


def test_help_without_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "--help"]) == 0
    assert "restoration" in capsys.readouterr().out
