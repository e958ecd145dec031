"""What made a result: command, seed, data and versions. No date and no machine, so that it repeats byte for byte."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reelmend.errors import UsageError

LAYOUT = 1
"""Of result files; a change that breaks a reader raises it."""

KINDS = ("masks", "restoration", "sweep")
RESULT = "result.json"


def provenance(command: str, seed: int | None, data: Mapping[str, str], made_by: str | None = None) -> dict[str, Any]:
    """What a result carries.

    Args:
        command: the command line as the user gave it.
        seed: of everything random, None where nothing is.
        data: SHA-256 of what was measured, by role (`found`, `truth`).
        made_by: the command that made what was measured, where the user says.
    """
    from reelmend.report.source import versions

    return {"command": command, "made_by": made_by, "seed": seed, "data": dict(data), "versions": versions()}


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def to_json(result: Mapping[str, Any]) -> str:
    """A result as text: infinite figures become the words `inf` and `-inf`, which JSON has no numbers for."""
    return json.dumps(_plain(result), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_result(path: Path) -> dict[str, Any]:
    """A result written by `reelmend evaluate`. Raises UsageError for anything else."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist; check the name") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder; give the {RESULT} in it") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UsageError(f"{path} cannot be read as JSON ({error}); give results of reelmend evaluate") from None
    needed = ("name", "frames", "pooled", "provenance")
    if not isinstance(data, dict) or data.get("kind") not in KINDS or any(key not in data for key in needed):
        raise UsageError(f"{path} is no result of reelmend evaluate; give the {RESULT} that it writes into --out")
    if data.get("layout") != LAYOUT:
        raise UsageError(
            f"{path} has layout {data.get('layout')}, this version reads {LAYOUT}; measure again with one version"
        )
    restored: dict[str, Any] = _numbers(data)
    return restored


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    # Ten significant digits: beyond them lies the order of summation.
    return float(f"{value:.10g}") if isinstance(value, float) else value


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: each if key == "name" else _numbers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_numbers(each) for each in value]
    return float(value) if value in ("inf", "-inf") and isinstance(value, str) else value
