"""Titles and subtitles: text that stands still for seconds and comes and goes with a cut.

Its dots, commas and thin strokes are as small and sharp-cut as dust.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from reelmend.simulate.lookalikes.promise import STANDARD_WIDTH, Image, LookAlike, Stamp, Thing, height_of, lens

# fmt: off
SYLLABLES = (
    "ra", "be", "li", "mo", "tan", "ser", "vik", "do", "nel", "is", "ka", "por", "um", "the", "en",
    "ju", "go", "sti", "fal", "wer", "cha", "lou", "mi", "ny", "ix", "ob", "ple", "qua", "zi", "dy",
)
# fmt: on

FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)

PEN = 64
"""Pixels of height at which letters are written before they are shrunk to size."""


@dataclass(frozen=True, slots=True)
class Text:
    lines: tuple[str, ...]
    font: int
    letter: float
    """Height of a capital, units."""
    bold: int
    """Pen width in pixels at a height of `PEN`."""
    outlined: bool
    """Whether a dark rim sets it off, as in subtitles."""


class Titles(LookAlike):
    name: ClassVar[str] = "titles"
    persistent: ClassVar[bool] = True
    crowd: ClassVar[float] = 0.7
    block: ClassVar[int] = 120

    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, amount: float = 1.0, mood: int = 0
    ) -> tuple[Thing, ...]:
        height = height_of(size)
        shared = np.random.default_rng(mood)
        font, subtitle = int(shared.choice(FONTS)), shared.uniform() < 0.5
        things: list[Thing] = []
        # Lives are two thirds of a block on average.
        for _ in range(rng.poisson(self.crowd * amount * 1.5)):
            letter = float(rng.uniform(9, 16) if subtitle else np.exp(rng.uniform(np.log(12), np.log(60))))
            lines = tuple(_words(rng, letter) for _ in range(1 + int(rng.uniform() < 0.4)))
            life = int(rng.integers(max(frames // 3, 1), frames + 1))
            things.append(
                Thing(
                    name=self.name,
                    x=STANDARD_WIDTH * float(0.5 if subtitle else rng.uniform(0.35, 0.65)),
                    y=height * float(0.88 if subtitle else rng.uniform(0.2, 0.8)),
                    velocity=(0.0, 0.0),
                    patch=Text(lines, font, letter, bold=int(rng.integers(3, 9)), outlined=bool(subtitle)),
                    colour=float(rng.uniform(0.85, 1.0)),
                    opacity=float(rng.uniform(0.8, 1.0)),
                    first=int(rng.integers(frames - life + 1)),
                    frames=life,
                )
            )
        return tuple(things)

    def render(self, thing: Thing, scale: float, age: int = 0, shift: tuple[float, float] = (0.5, 0.5)) -> list[Stamp]:
        text, softness = thing.patch, lens(scale)
        margin = int(np.ceil(4 * softness + 0.2 * text.letter * scale)) + 1
        crisp = _written(text.lines, text.font, text.bold, text.letter * scale / PEN, margin)
        top, left = -(crisp.shape[0] // 2), -(crisp.shape[1] // 2)
        alpha = cv2.GaussianBlur(crisp, (0, 0), softness, borderType=cv2.BORDER_CONSTANT)
        stamps = [Stamp(np.clip(alpha, 0, 1) * np.float32(thing.opacity), thing.colour, top, left)]
        if text.outlined:
            rim = max(3, 2 * round(0.08 * text.letter * scale) + 1)
            thick = cv2.dilate(crisp, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (rim, rim)))
            dark = cv2.GaussianBlur(thick, (0, 0), softness, borderType=cv2.BORDER_CONSTANT)
            stamps.insert(0, Stamp(np.clip(dark, 0, 1) * np.float32(thing.opacity), 0.03, top, left))
        return stamps


def _words(rng: np.random.Generator, letter: float) -> str:
    """A line of made-up words that fits the picture's width."""
    letters = max(int(0.8 * STANDARD_WIDTH / letter), 6)
    words: list[str] = []
    while True:
        word = "".join(rng.choice(SYLLABLES) for _ in range(int(rng.integers(1, 4))))
        if words and len(" ".join([*words, word])) > min(letters, 34):
            break
        words.append(word + str(rng.choice(["", "", "", ",", ".", ":", "'"])))
    line = " ".join(words)[:letters]
    return line.upper() if rng.uniform() < 0.4 else line.capitalize()


def _written(lines: tuple[str, ...], font: int, bold: int, shrink: float, margin: int) -> Image:
    """The lines, centred, with an even empty margin in pixels around them, 0..1."""
    size = PEN / cv2.getTextSize("H", font, 1.0, 1)[0][1]
    widths = [cv2.getTextSize(line, font, size, bold)[0][0] for line in lines]
    wide, step = max(widths) + 4 * PEN, int(1.8 * PEN)
    sheet = np.zeros((step * len(lines) + PEN, wide), dtype=np.uint8)
    for number, (line, width) in enumerate(zip(lines, widths, strict=True)):
        cv2.putText(sheet, line, ((wide - width) // 2, step * (number + 1)), font, size, 255, bold, cv2.LINE_AA)
    columns, rows = max(round(wide * shrink), 1), max(round(sheet.shape[0] * shrink), 1)
    small = cv2.resize(sheet.astype(np.float32) / 255, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.pad(small, margin)
