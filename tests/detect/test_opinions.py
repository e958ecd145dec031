"""Two opinions as one: between both where both have one, and never against both."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reelmend.detect.labels import Labels
from reelmend.detect.opinions import RULED_OUT, clear_doubted, clear_ruled_out, weighed

shares = st.floats(0, 1)


@given(shares, shares, st.booleans())
def test_the_surer_both_are_the_more_probable(own: float, theirs: float, candidate: bool) -> None:
    def of(one: float, other: float) -> float:
        where = np.array([0] if candidate else [], np.intp)
        return float(weighed(np.full((1, 2), one, np.float32), np.full((1, 2), other, np.float32), where)[0, 0])

    pooled = of(own, theirs)
    assert 0 < pooled < 1
    assert of(min(1, own + 0.1), theirs) >= pooled and of(own, min(1, theirs + 0.1)) >= pooled
    assert candidate or of(own, 0) == of(own, 1)


def test_what_both_are_sure_of_stays_and_contradiction_is_doubt() -> None:
    own = np.array([[0.99, 0.01, 0.9, 0.1, 0.97]], np.float32)
    theirs = np.array([[0.95, 0.02, 0.05, 0.9, 0.0]], np.float32)
    pooled = weighed(own, theirs, np.arange(4))[0]
    assert pooled[0] > 0.95 and pooled[1] < 0.05
    assert 0.2 < pooled[2] < 0.8 and 0.2 < pooled[3] < 0.8
    # What only the network finds must be found more clearly.
    assert 0.7 < pooled[4] < 0.95


def test_a_second_opinion_saves_what_moves_and_not_what_is_damaged() -> None:
    """Blobs that the classical detector follows from frame to frame go; specks stay, and what it has no opinion of
    where the network is sure of it."""
    mask = np.zeros((40, 60), bool)
    mask[2:6, 2:6] = mask[20:24, 20:24] = mask[30:34, 50:54] = True
    theirs = np.zeros((40, 60), np.float32)
    theirs[2:6, 2:6], theirs[20:24, 20:24] = 0.05, 0.9
    sure = mask.copy()
    own = np.full((40, 60), 0.95, np.float32)
    clear_doubted(Labels(mask), own, theirs, np.flatnonzero(theirs), 0.3)
    assert not mask[2:6, 2:6].any()
    assert mask[20:24, 20:24].all() and mask[30:34, 50:54].all()
    assert mask.sum() == 32
    clear_doubted(Labels(mask), own - 0.1, theirs, np.flatnonzero(theirs), 0.3)
    assert mask[20:24, 20:24].all() and mask.sum() == 16
    # Unless the network is sure.
    own[2:6, 2:6] = 0.995
    clear_doubted(Labels(sure), own, theirs, np.flatnonzero(theirs), 0.3)
    assert sure[2:6, 2:6].all()
    # Of a small one it may be as sure as it likes.
    small, doubted = np.zeros((40, 60), bool), np.zeros((40, 60), np.float32)
    small[2:5, 2:5], doubted[2:5, 2:5] = True, 0.05
    clear_doubted(Labels(small), own, doubted, np.flatnonzero(doubted), 0.3)
    assert not small.any()


def test_what_the_classical_detector_rules_out_goes_and_what_it_did_not_look_at_stays() -> None:
    mask = np.zeros((40, 60), bool)
    mask[2:6, 2:6] = mask[20:24, 20:24] = mask[30:34, 50:54] = True
    theirs = np.zeros(mask.shape, np.float32)
    theirs[2:6, 2:6] = RULED_OUT - 0.01
    theirs[20:24, 20:24] = RULED_OUT + 0.01
    looked_at = mask.copy()
    looked_at[30:34, 50:54] = False
    looked_at[38, 58] = True
    clear_ruled_out(Labels(mask), theirs, np.flatnonzero(looked_at))
    assert not mask[2:6, 2:6].any()
    assert mask[20:24, 20:24].all()
    assert mask[30:34, 50:54].all()
    assert mask.sum() == 32
