"""Exit codes and the one sentence on stderr."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reelmend import cli
from reelmend.errors import MediaError, UsageError


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What stderr holds: exactly one sentence."""
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("reelmend: ")
    assert lines[0].endswith(".")
    assert "Traceback" not in lines[0]
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["restor"], ["restor"]),
        (["restore"], ["SOURCE and OUTPUT", "reelmend restore SOURCE OUTPUT"]),
        (["restore", "a.mkv"], ["OUTPUT"]),
        (["detect", "a.mkv"], ["MASKS"]),
        (["repair", "a.mkv", "masks"], ["OUTPUT"]),
        (["repair"], ["SOURCE", "MASKS", "OUTPUT"]),
        (["restore", "a", "b", "--grow", "99"], ["--grow", "32"]),
        (["restore", "a", "b", "--grow", "x"], ["--grow", "integer"]),
        (["restore", "a", "b", "--strength", "brutal"], ["gentle, standard or strong"]),
        (["restore", "a", "b", "--frames", "0"], ["--frames"]),
        (["restore", "a", "b", "--polish"], ["--polish"]),
        (["restore", "a", "b", "--job", "nowhere.toml"], ["nowhere.toml"]),
        (["restore", "a", "b", "c"], ["c"]),
        (["probe"], ["SOURCE"]),
        (["probe", "nowhere.mkv"], ["nowhere.mkv"]),
        (["probe", "nowhere.mkv", "--gaps", "fill"], ["stop or hold"]),
        (["compare", "nowhere.mkv", "b.mkv"], ["nowhere.mkv"]),
        (["restore", "nowhere.mkv", "b.mkv"], ["nowhere.mkv"]),
        (["detect", "nowhere.mkv", "masks"], ["nowhere.mkv"]),
    ],
    ids=" ".join,
)
def test_a_mistake_of_the_caller(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    sentence = said(capsys)
    assert all(word in sentence for word in words), sentence
    assert list(tmp_path.iterdir()) == []


def fails_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `reelmend models` raise an error."""

    def raises(as_json: bool) -> None:
        raise error

    monkeypatch.setattr("reelmend.cli.models.show", raises)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (UsageError("film.mkv is empty; check\nhow it was copied"), 2, "film.mkv is empty; check how it was copied."),
        (MediaError("disk full."), 1, "disk full."),
        (ZeroDivisionError("by\nzero"), 1, "unexpected ZeroDivisionError: by zero; --debug shows where."),
        (ValueError(), 1, "unexpected ValueError; --debug shows where."),
        (MemoryError(), 1, "out of memory"),
        (KeyboardInterrupt(), 130, "stopped."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_what_goes_wrong_while_running(
    error: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fails_with(error, monkeypatch)
    assert cli.main(["models"]) == code
    assert words in said(capsys)


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_debug_shows_the_traceback(
    way: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fails_with(ZeroDivisionError("by zero"), monkeypatch)
    monkeypatch.setenv("REELMEND_DEBUG", "1" if way == "variable" else "0")
    assert cli.main(["--debug", "models"] if way == "flag" else ["models"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_no_arguments_shows_help_and_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "restore" in capsys.readouterr().out


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    import reelmend

    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"reelmend {reelmend.__version__}\n"
    for command in ("restore", "detect", "repair", "probe", "compare", "models"):
        assert cli.main([command, "--help"]) == 0
        assert command in capsys.readouterr().out


HEAVY = {"cv2", "av", "OpenImageIO", "scenedetect", "onnxruntime", "numpy", "jinja2", "torch"}


@pytest.mark.parametrize("arguments", [["--help"], ["restore", "--help"], ["restore", "a", "b", "--strength", "x"]])
def test_parsing_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from reelmend.cli import main; main(sys.argv[1:]);"
        f"loaded = {HEAVY} & set(sys.modules); sys.exit(f'loaded {{loaded}}' if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_python_m_runs_the_same_program() -> None:
    done = subprocess.run([sys.executable, "-m", "reelmend", "restor"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "No such command" in done.stderr
