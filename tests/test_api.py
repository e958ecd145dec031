"""The package as Python code sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import reelmend
from reelmend.config import Job
from reelmend.errors import UsageError
from reelmend.media import open_reel

HEAVY = ("numpy", "cv2", "av", "OpenImageIO", "onnxruntime", "scenedetect", "pydantic", "typer", "rich", "jinja2")


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_importing_loads_no_library() -> None:
    assert python(f"import sys, reelmend; print([m for m in {HEAVY} if m in sys.modules])") == "[]"


def test_a_plain_job_loads_neither_the_report_page_nor_onnx_nor_the_terminal() -> None:
    late = ("onnxruntime", "jinja2", "rich")
    assert python(f"import sys, reelmend; reelmend.restore; print([m for m in {late} if m in sys.modules])") == "[]"


@pytest.mark.parametrize("name", reelmend.__all__)
def test_every_name_is_there_before_anything_is_loaded(name: str) -> None:
    assert python(f"import reelmend; print(reelmend.{name} is not None, {name!r} in dir(reelmend))") == "True True"


def test_names_lead_to_the_real_things() -> None:
    assert reelmend.Job is Job
    assert reelmend.open_reel is open_reel
    with pytest.raises(AttributeError, match="has no attribute 'mend'"):
        reelmend.mend  # noqa: B018


@pytest.mark.parametrize("order", ["import reelmend.pipeline", "import reelmend.detect, reelmend.repair", "pass"])
def test_commands_can_be_called_whatever_was_imported_before(order: str) -> None:
    code = f"""
import reelmend
{order}
for call in (lambda: reelmend.restore("/no/film", "a.mkv"), lambda: reelmend.detect("/no/film", "masks"),
             lambda: reelmend.repair("/no/film", "masks", "a.mkv")):
    try:
        call()
    except reelmend.errors.UsageError as error:
        print(error)
from reelmend.detect import DETECTORS
from reelmend.repair.grow import grow
assert reelmend.detect.DETECTORS is DETECTORS
"""
    assert python(code).splitlines() == ["/no/film does not exist; check the name"] * 3


def test_options_go_by_their_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"strenght.*strength"):
        reelmend.restore(tmp_path, tmp_path / "a.mkv", strenght="gentle")
    with pytest.raises(UsageError, match="grow"):
        reelmend.restore(tmp_path, tmp_path / "a.mkv", grow=-1)
