"""The record of every intervention: a journal, JSON and one self-contained HTML page.

Names load on use, so that importing this room costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelmend.report.picture import to_rgb8
    from reelmend.report.record import FrameRecord
    from reelmend.report.writer import ReportWriter, journal_length

__all__ = ["FrameRecord", "ReportWriter", "journal_length", "to_rgb8"]

_HOMES = {"FrameRecord": "record", "ReportWriter": "writer", "journal_length": "writer", "to_rgb8": "picture"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'reelmend.report' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"reelmend.report.{_HOMES[name]}"), name)
