"""Other people's classes of damage beside our kinds: plain tables, one comment where the match is not obvious."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

CLEAN = 0
"""Label of a pixel without damage, in every dataset."""
UNJUDGED = 255
"""Label of a pixel that nobody judged: outside the picture, or of no known class. Neither damage nor clean."""


@dataclass(frozen=True, slots=True)
class Label:
    """One class of a dataset."""

    name: str
    """The dataset's own word."""
    kind: str | None
    """Our kind (a key of `reelmend.simulate.kinds.KINDS`), None where we have none."""


Classes = Mapping[int, Label]
"""By label value, 1 to 254."""

FILM_AA: Classes = MappingProxyType(
    {
        1: Label("Dust", "dust"),
        2: Label("Dirt", "dirt"),
        3: Label("Short hair", "short hair"),
        4: Label("Long hair", "long hair"),
        5: Label("Scratch", "scratch"),
    }
)
"""FILM-AA (Ivanova et al. 2023). The numbers are ours: its files name the classes."""

FILM_R: Classes = MappingProxyType(
    {
        # Restorers retouched whatever they saw; nobody wrote down what it was.
        1: Label("retouched", None),
    }
)
"""FILM-R, the pairs of damaged and restored scans of the same authors."""

ARTEFACT: Classes = MappingProxyType(
    {
        # Any part of the object that is gone; on film that is the emulsion.
        1: Label("material loss", "emulsion loss"),
        # Paint or emulsion that lifts off; on film it ends as the same bare patch.
        2: Label("peel", "emulsion loss"),
        3: Label("dust", "dust"),
        4: Label("scratch", "scratch"),
        # Hairs of any length share one class there; most of those on film are short.
        5: Label("hair", "short hair"),
        6: Label("dirt", "dirt"),
        # A crease through paper or canvas: film cracks rather than folds.
        7: Label("fold", None),
        # Handwriting on the object: no damage of a moving picture.
        8: Label("writing", None),
        9: Label("cracks", "crack"),
        10: Label("staining", "stain"),
        11: Label("stamp", None),
        12: Label("sticker", None),
        # A hole through the object, on film a cue mark or the perforation's torn edge.
        13: Label("puncture", "perforation damage"),
        # A frame that burnt in the gate is beyond repair from its own pixels; we do not simulate it.
        14: Label("burn marks", None),
        # Light that reached the film before development: a change of the picture, not something on it.
        15: Label("light leak", None),
    }
)
"""ARTeFACT (Ivanova et al., "ARTeFACT: benchmarking segmentation models on diverse analogue media damage", 2025):
0 is clean, 255 is the background around the object."""
