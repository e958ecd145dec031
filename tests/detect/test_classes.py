"""Classes by shape."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from reelmend.detect.classes import guess_class


def drawn(draw: object, side: int = 200) -> np.ndarray:
    canvas = np.zeros((side, side), np.uint8)
    draw(canvas)  # type: ignore[operator]
    return canvas > 0


@pytest.mark.parametrize(
    ("wanted", "draw"),
    [
        ("dust", lambda c: cv2.circle(c, (100, 100), 2, 1, -1)),
        ("dirt", lambda c: cv2.circle(c, (100, 100), 9, 1, -1)),
        ("hair", lambda c: cv2.ellipse(c, (100, 100), (50, 30), 0, 10, 200, 1, 3)),
        ("scratch", lambda c: cv2.line(c, (20, 10), (24, 190), 1, 2)),
        ("scratch", lambda c: cv2.line(c, (20, 10), (150, 140), 1, 3)),
    ],
)
def test_typical_shapes(wanted: str, draw: object) -> None:
    blob = drawn(draw)
    assert guess_class(blob, 1920) == wanted
    assert guess_class(np.rot90(blob), 1920) == wanted


def test_a_single_pixel_is_dust_and_nothing_is_an_error() -> None:
    assert guess_class(np.ones((1, 1), bool), 640) == "dust"
    with pytest.raises(ValueError):
        guess_class(np.zeros((4, 4), bool), 640)
