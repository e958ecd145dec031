"""What a person changes in masks: operations, kept in the order they were made, applied to whatever is detected."""

from reelmend.edits.follow import follow_line
from reelmend.edits.journal import Edits, Journal, read_edits
from reelmend.edits.operations import Area, Fill, Line, Operation, Protect, Reject, Stroke, apply

__all__ = [
    "Area",
    "Edits",
    "Fill",
    "Journal",
    "Line",
    "Operation",
    "Protect",
    "Reject",
    "Stroke",
    "apply",
    "follow_line",
    "read_edits",
]
