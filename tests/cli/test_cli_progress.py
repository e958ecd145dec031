"""What a person sees while a job runs, and after."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from reelmend import cli, pipeline
from reelmend.cli import progress as shown
from reelmend.cli.progress import Display, line
from reelmend.pipeline import Progress, Summary


def state(done: int, total: int | None = 1200, fps: float = 12.5) -> Progress:
    return Progress(done=done, total=total, fps=fps, damaged_fraction=0.0012, shot=0)


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (state(240), "frame 240 of 1200 (20 %), 12.5 frames/s, 1:17 left, damage 0.120 %"),
        (state(0, fps=0.0), "frame 0 of 1200 (0 %), damage 0.120 %"),
        (state(7, None), "frame 7, 12.5 frames/s, damage 0.120 %"),
        (state(100, 100_100, 10.0), "frame 100 of 100100 (0 %), 10.0 frames/s, 2:46:40 left, damage 0.120 %"),
    ],
)
def test_the_line(progress: Progress, text: str) -> None:
    assert line(progress) == text


def test_without_a_terminal_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(shown.time, "monotonic", lambda: now[0])
    with Display(quiet=False) as display:
        for done in range(1, 31):
            now[0] = float(done)
            display.update(state(done))
    captured = capsys.readouterr()
    assert [text.split(" of ")[0] for text in captured.err.splitlines()] == ["frame 10", "frame 20", "frame 30"]
    assert captured.out == ""


def test_in_a_terminal_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with Display(quiet=False) as display:
        display.update(state(300))
        display._bar.refresh()
    said = capsys.readouterr().err
    for expected in ("300/1200", "12.5 frames/s", "damage 0.120 %"):
        assert expected in said


def summary(**places: Path) -> Summary:
    return Summary(
        frames=48, shots=2, damaged_fraction=0.00123, blobs=31, unsure_fraction=0.00001,
        seconds={"decode": 1.25, "detect": 2.5, "grain": 0.01}, wall=4.0,
        output=places.get("output"), masks=places.get("masks"), report=places.get("report"),
        notes=("subtitles cannot be kept in this container",),
    )  # fmt: skip


class Stage:
    """Stands in for the pipeline: notes the job, then does as told."""

    def __init__(self, error: BaseException | None = None, done: int = 100) -> None:
        self.error, self.done = error, done
        self.job: Any = None

    def __call__(self, job: Any, update: Any) -> Summary:
        self.job = job
        update(state(self.done))
        if self.error:
            raise self.error
        return summary(output=job.output, masks=job.masks, report=job.report)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage()
    for name in ("restore", "detect", "repair"):
        monkeypatch.setattr(pipeline, name, made)
    return made


def test_the_summary(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["restore", "a.mkv", "b.mkv", "--masks", "m", "--report", "r"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "48 frames in 2 shots: 0.123 % of the picture damaged, 31 blobs, 0.001 % repaired but unsure.",
        "4.0 s, 12.0 frames a second (decode 1.2 s, detect 2.5 s).",
        "output  b.mkv",
        "masks   m",
        "report  r",
        "note    subtitles cannot be kept in this container",
    ]


def test_quiet_says_nothing(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["restore", "a.mkv", "b.mkv", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_every_flag_reaches_the_job(stage: Stage) -> None:
    flags = (
        "--masks m --report r --detector d --repairer p --bias 0.5 --edits e --strength gentle --grow 4 "
        "--min-blob 5 --max-blob 600 --no-grain --start 7 --frames 8 --gaps hold --on-error hold "
        "--device cpu --threads 3 --seed 9 --overwrite"
    )
    assert cli.main(["restore", "a", "b", *flags.split()]) == 0
    assert stage.job.to_dict() == {
        "source": "a", "output": "b", "masks": "m", "report": "r", "edits": "e", "start": 7, "frames": 8,
        "device": "cpu", "threads": 3, "seed": 9, "overwrite": True, "gaps": "hold", "on_error": "hold",
        "detect": {"detector": "d", "strength": "gentle", "min_blob": 5, "max_blob": 600},
        "repair": {"repairer": "p", "bias": 0.5, "grow": 4}, "grain": {"regrain": False},
    }  # fmt: skip


def test_flags_override_the_job_file(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "job.toml"
    file.write_text(
        'source = "a"\noutput = "b"\noverwrite = true\n[detect]\nstrength = "strong"\n[repair]\ngrow = 5\n'
        "[grain]\nregrain = false\n"
    )
    assert cli.main(["restore", "--job", str(file), "--grow", "0"]) == 0
    job = stage.job
    assert (str(job.source), str(job.output), job.detect.strength, job.repair.grow) == ("a", "b", "strong", 0)
    assert job.overwrite
    assert not job.grain.regrain
    assert cli.main(["restore", "c", "d", "--job", str(file), "--strength", "gentle"]) == 0
    assert (str(stage.job.source), str(stage.job.output), stage.job.detect.strength) == ("c", "d", "gentle")


def test_arguments_come_in_the_order_of_each_command(stage: Stage) -> None:
    assert cli.main(["repair", "a", "m", "b"]) == 0
    assert (str(stage.job.source), str(stage.job.masks), str(stage.job.output)) == ("a", "m", "b")
    assert cli.main(["detect", "a", "m"]) == 0
    assert (str(stage.job.source), str(stage.job.masks), stage.job.output) == ("a", "m", None)


@pytest.mark.parametrize(
    ("arguments", "done", "words"),
    [
        (["restore", "a", "b.mkv", "--start", "10"], 100, "goes on from frame 106."),
        (["restore", "a", "frames"], 100, "goes on from frame 100."),
        (["restore", "a", "b.mkv"], 30, "the same command starts again."),
    ],
)
def test_ctrl_c_says_how_to_go_on(
    arguments: list[str], done: int, words: str, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.error, stage.done = KeyboardInterrupt(), done
    assert cli.main(arguments) == 130
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1].endswith(words)
    assert captured.err.count("\n") == 1
