"""What the documentation says and what the program does are the same."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from reelmend.cli.app import app
from reelmend.config import Job
from reelmend.describe import rows
from reelmend.report.record import FrameRecord

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def flags() -> list[tuple[str, str]]:
    return [
        (name, flag)
        for name, command in COMMANDS.items()
        for parameter in command.params
        for flag in parameter.opts
        if flag.startswith("-")
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme_with_its_arguments(name: str) -> None:
    arguments = [p.metavar for p in COMMANDS[name].params if p.param_type_name == "argument"]
    assert f"`{' '.join(['reelmend', name, *arguments])}`" in README


@pytest.mark.parametrize(("command", "flag"), flags())
def test_every_option_is_in_the_readme(command: str, flag: str) -> None:
    assert re.search(rf"`[^`]*{flag}\b[^`]*`", README), f"{flag} of {command} is not documented"


def test_the_readme_says_which_command_takes_which_option() -> None:
    table = re.findall(r"^\| (`-.*?) \| (x?) ?\| (x?) ?\| (x?) ?\|", README, re.MULTILINE)
    assert len(table) > 10
    for cell, *marks in table:
        for flag in re.findall(r"--[a-z-]+", cell):
            takes = [any(flag in p.opts for p in COMMANDS[name].params) for name in ("restore", "detect", "repair")]
            assert takes == [mark == "x" for mark in marks], flag


def test_the_readme_names_no_option_that_does_not_exist() -> None:
    known = {flag for _, flag in flags()} | {"--version", "--debug", "--help"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", README)) <= known


def test_the_option_tables_are_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("options_table", ROOT / "tools" / "options_table.py")
    assert spec
    assert spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "run python tools/options_table.py"


def test_the_example_job_is_allowed(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "job-file.md").read_text(encoding="utf-8")
    (tmp_path / "job.toml").write_text(text.split("```toml\n")[1].split("```")[0])
    assert Job.from_toml(tmp_path / "job.toml").detect.strength == "gentle"


def test_every_job_option_can_be_given_on_the_command_line() -> None:
    given = {p.name for name in ("restore", "repair") for p in COMMANDS[name].params}
    named = {row.name for row in rows(Job)} - {"regrain"}
    assert named <= given
    assert "no_grain" in given


def test_the_python_example_runs(
    make_container: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_container("scan.mov", codec="prores_ks", pixels="yuv422p10le", size=(48, 64))
    monkeypatch.chdir(tmp_path)
    exec(README.split("```python\n")[1].split("```")[0], {})
    said = capsys.readouterr().out.splitlines()
    assert said[1:] == ["64 48 yuv422p10le", *(f"{n} [(48, 64), (48, 32), (48, 32)]" for n in (2, 3, 4))]
    assert (tmp_path / "restored.mkv").exists()
    assert (tmp_path / "by_hand.mkv").exists()


@pytest.mark.parametrize("name", FrameRecord.__dataclass_fields__)
def test_every_key_of_a_frame_record_is_documented(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "docs" / "report.md").read_text(encoding="utf-8")


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_every_room_is_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / "src" / "reelmend"
    rooms = [entry.name for entry in package.iterdir() if (entry / "__init__.py").exists()]
    modules = [entry.name for entry in package.glob("*.py") if not entry.name.startswith("__")]
    assert len(rooms) > 5
    for name in [f"{room}/" for room in rooms] + modules:
        assert re.search(rf"(^| ){re.escape(name)} ", text, re.MULTILINE), f"{name} is not described"


def test_constraints_pin_every_dependency_the_package_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(line for lines in project["optional-dependencies"].values() for line in lines),
    ]
    pinned = {_name(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    # An extra may hold another one of the package itself.
    assert {_name(line) for line in wanted} - {project["name"]} <= pinned
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()


def _name(line: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", line)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()
