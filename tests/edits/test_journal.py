"""The journal: nothing that was done is lost, undoing has no end, and what is broken is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmend.edits import Edits, Journal, Protect, Reject, Stroke, read_edits
from reelmend.edits.journal import parse_operation
from reelmend.errors import MediaError, UsageError


def dot(frame: int) -> Stroke:
    return Stroke(frame=frame, points=((frame, 5),), radius=2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["do", "undo", "redo", "reopen"]), max_size=25))
def test_undo_and_redo_have_no_end_and_survive_the_program(
    tmp_path_factory: pytest.TempPathFactory, plan: list[str]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "edits.jsonl"
    journal = Journal(path)
    done: list[Stroke] = []
    undone: list[Stroke] = []
    for number, what in enumerate(plan):
        if what == "do":
            journal.do(dot(number))
            done.append(dot(number))
            undone.clear()
        elif what == "undo":
            assert journal.undo() == (done[-1] if done else None)
            undone += done[-1:]
            del done[-1:]
        elif what == "redo":
            assert journal.redo() == (undone[-1] if undone else None)
            done += undone[-1:]
            del undone[-1:]
        else:
            journal.close()
            journal = Journal(path)
        assert journal.edits.operations == tuple(done)
    journal.close()
    assert read_edits(path).operations == tuple(done)


def test_what_a_crash_cut_short_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "edits.jsonl"
    journal = Journal(path)
    journal.do(dot(1))
    journal.do(dot(2))
    journal.close()
    path.write_bytes(path.read_bytes()[:-20])
    assert read_edits(path).operations == (dot(1),)
    again = Journal(path)
    again.do(dot(3))
    again.close()
    assert read_edits(path).operations == (dot(1), dot(3))
    with Journal(path) as last:
        assert last.edits.operations == (dot(1), dot(3))


def test_edits_are_found_by_frame_in_their_order() -> None:
    operations = (
        dot(4),
        Protect(first=0, last=10, left=0, top=0, width=9, height=9),
        dot(4),
        Reject(frame=7, at=(1, 1)),
    )
    path_free = type(read_edits)
    assert path_free

    edits = Edits(operations)
    assert edits.of(4) == operations[:3]
    assert edits.of(7) == operations[1:2] + operations[3:]
    assert edits.of(11) == ()
    mask = np.ones((20, 20), bool)
    assert edits.apply(11, mask) is mask
    assert not edits.apply(5, mask)[:9, :9].any()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"redo me"\n', "neither an edit nor its undoing"),
        ('{"do": {"kind": "spell"}}\n', "line 1: this is no edit"),
        ('{"do": {"kind": "reject", "frame": -3, "at": [0, 0]}}\n', "greater than or equal to 0"),
        ("frame,x,y\n1,2,3\n4,5,6\n", "no JSON"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "edits.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_edits(path)


def test_missing_and_unwritable_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the edits"):
        read_edits(tmp_path / "none.jsonl")
    with pytest.raises(MediaError, match="cannot write the edits"):
        Journal(tmp_path / "no" / "folder.jsonl")
    with pytest.raises(UsageError, match="this is no edit"):
        parse_operation({"kind": "stroke", "frame": 0, "points": "all of it", "radius": 3})
