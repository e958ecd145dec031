"""What damage does to the light of each colour: inks drawn from a recipe's ranges.

Colours follow from the order of a colour film's layers. A print film has its yellow dye (the blue-sensitive layer) at
the bottom, next to the base, its magenta dye on top and cyan between (Kodak, Vision Color Print Film 2383, data sheet
H-1-2383: "the bottom layer is sensitive to blue light, and produces the yellow dye image"). So a light scratch on a
print takes magenta: green light passes, and the scratch is green. A deeper one takes cyan too: yellow. Camera films,
reversal among them, have yellow on top (Encyclopaedia Britannica, Technology of photography, Colour film structure):
a light scratch on a reversal original lets blue pass. The same scratch on a negative lets the printer's blue light
through, which makes yellow dye in the print: a dark scratch that takes blue light alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np

from reelmend.simulate.defect import Ink
from reelmend.simulate.recipe import Entry, Tint

LEAK = 0.12
"""Share of the other colours that goes too: dyes absorb beside their own third of the spectrum, and scratches reach a
little into the next layer."""

BRIGHT: Mapping[Tint, tuple[float, float, float]] = MappingProxyType(
    {
        "neutral": (1.0, 1.0, 1.0),
        "green": (LEAK, 1.0, LEAK),
        "yellow": (1.0, 1.0, LEAK),
        "blue": (LEAK, LEAK, 1.0),
    }
)
"""What passes where dye was scratched away: on a print magenta (green) or magenta and cyan (yellow), on a reversal
original yellow (blue)."""

DARK: Mapping[Tint, tuple[float, float, float]] = MappingProxyType(
    {"neutral": (1.0, 1.0, 1.0), "yellow": (LEAK, LEAK, 1.0)}
)
"""What a print takes where dye was scratched off its negative: the top layer's yellow, printed as more yellow. Green
and blue arise from dye lost on the film that is seen, and are always bright."""


def sample_ink(rng: np.random.Generator, entry: Entry) -> Ink:
    """An ink of a recipe's entry: polarity by `bright`, tint any of `tints`, the rest uniform in their ranges."""
    tint = entry.tints[int(rng.integers(len(entry.tints)))]
    bright = bool(rng.uniform() < entry.bright) or tint not in DARK
    polarity: Literal["dark", "bright"] = "bright" if bright else "dark"
    return Ink(
        polarity=polarity,
        opacity=float(rng.uniform(*entry.opacity)),
        tint=BRIGHT[tint] if bright else DARK[tint],
        white=float(rng.uniform(*entry.white)),
        softness=float(rng.uniform(*entry.softness)),
        mottle=float(rng.uniform(*entry.mottle)),
        halo=float(rng.uniform(*entry.halo)),
        seed=int(rng.integers(2**31)),
    )
