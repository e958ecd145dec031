"""A picture looked at several ways round: as it is, and mirrored. Where one look errs, the others seldom do alike."""

from __future__ import annotations

from typing import Literal

Views = Literal[1, 2, 4]
"""How many ways round."""

MIRRORED: dict[Views, tuple[tuple[int, ...], ...]] = {1: ((),), 2: ((), (-1,)), 4: ((), (-1,), (-2,), (-2, -1))}
"""By number: the axes that are turned round for each look, from the last: -1 left and right, -2 top and bottom."""
