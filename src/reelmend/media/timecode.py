"""SMPTE timecode arithmetic (SMPTE ST 12-1), drop-frame included."""

from __future__ import annotations

import re
from fractions import Fraction

_FORM = re.compile(r"(\d{2}):(\d{2}):(\d{2})([:;.])(\d{2,3})")


def is_timecode(text: str | None) -> bool:
    return bool(text and _FORM.fullmatch(text.strip()))


def advance(timecode: str, frames: int, rate: Fraction) -> str:
    """The timecode `frames` later at `rate` frames a second; wraps after 24 hours.

    A `;` (or `.`) before the frames means drop-frame: at 30000/1001 the labels 00 and 01 of each minute but every
    tenth are skipped, at 60000/1001 the labels 00 to 03. Raises ValueError for text that is no timecode.
    """
    match = _FORM.fullmatch(timecode.strip())
    if not match:
        raise ValueError(f"{timecode!r} is not a timecode")
    hours, minutes, seconds, mark, number = int(match[1]), int(match[2]), int(match[3]), match[4], int(match[5])
    base = max(round(rate), 1)
    drop = base // 15 if mark in ";." and base % 30 == 0 else 0
    count = ((hours * 60 + minutes) * 60 + seconds) * base + number
    whole_minutes = hours * 60 + minutes
    count -= drop * (whole_minutes - whole_minutes // 10)
    per_day = 24 * 3600 * base - drop * (24 * 60 - 24 * 6)
    count = (count + frames) % per_day
    if drop:
        per_ten = 600 * base - 9 * drop
        per_minute = 60 * base - drop
        tens, rest = divmod(count, per_ten)
        count += 9 * drop * tens
        if rest >= drop:
            count += drop * ((rest - drop) // per_minute)
    seconds, number = divmod(count, base)
    digits = len(match[5])
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{number:0{digits}d}"
