"""Writes the example table of docs/evaluate.md: `python tools/evaluate_example.py [FOLDER]`.

Restores the bundled sample gently and strongly, measures masks and films against the truth and sets them side by
side. Takes about two minutes. With FOLDER the films, results and the HTML table stay there.
"""

from __future__ import annotations

import contextlib
import io
import shlex
import sys
import tempfile
from pathlib import Path

from reelmend import cli
from reelmend.simulate.sample import build_sample

PAGE = Path(__file__).parents[1] / "docs" / "evaluate.md"
MARK = "<!-- table: tools/evaluate_example.py writes what follows -->\n"
STRENGTHS = ("gentle", "strong")


def main(folder: Path) -> None:
    """Make the table in a folder and put it into the page."""
    folder.mkdir(parents=True, exist_ok=True)
    # Commands are kept in the table as they are given: within the folder, so that they hold no path of this machine.
    with contextlib.chdir(folder):
        build_sample(Path("sample"))
        masks = [judged_masks(strength) for strength in STRENGTHS]
        films = [judged_film(strength) for strength in STRENGTHS]
        run(f"evaluate table {' '.join(masks + films)} --out table --title 'The bundled sample'")
        lines = Path("table/table.md").read_text(encoding="utf-8").splitlines()
    # The page has a title of its own; the table's headings go below it.
    text = "\n".join(f"#{line}" if line.startswith("## ") else line for line in lines[2:])
    PAGE.write_text(PAGE.read_text(encoding="utf-8").split(MARK)[0] + MARK + "\n" + text + "\n", encoding="utf-8")


def judged_masks(strength: str) -> str:
    """Restore at a strength and judge the masks; the result's path."""
    restore = f"restore sample/damaged.mkv {strength}.mkv --masks {strength}_masks --strength {strength}"
    if not Path(f"{strength}.mkv").exists():
        run(restore + " --quiet")
    options = f"--source sample/damaged.mkv --block 12 --name {strength} --made-by 'reelmend {restore}'"
    run(f"evaluate masks {strength}_masks sample/masks.mkv {options} --out {strength}_judged")
    return f"{strength}_judged/result.json"


def judged_film(strength: str) -> str:
    """Judge the restored film; the result's path."""
    options = f"--masks sample/masks.mkv --damaged sample/damaged.mkv --changed {strength}_masks --block 12"
    run(
        f"evaluate restoration {strength}.mkv sample/clean.mkv {options} --name {strength} --out {strength}_film_judged"
    )
    return f"{strength}_film_judged/result.json"


def run(command: str) -> None:
    """A command of ReelMend; leaves with its exit code when it fails."""
    print(f"$ reelmend {command}", flush=True)
    with contextlib.redirect_stdout(io.StringIO()):
        code = cli.main(shlex.split(command))
    if code:
        sys.exit(code)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(Path(scratch))
