"""Contact sheets of a validation: what the network was shown, and what it found against the truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from reelmend.evaluate.overlay import overlay


def save_sheet(path: Path, centres: Tensor, probability: Tensor, truth: Tensor, most: int = 6) -> None:
    """Write the first pictures of a batch above their overlays (yellow hit, green false alarm, red miss).

    All are `(b, h, w)`, 0..1.
    """
    columns = []
    for centre, found, true in zip(centres[:most], probability[:most], truth[:most], strict=True):
        picture = (centre.float().cpu().numpy() * 255).round().astype(np.uint8)
        marked = overlay(picture, found.cpu().numpy() >= 0.5, true.cpu().numpy() > 0.5)
        columns.append(np.concatenate([np.repeat(picture[..., None], 3, axis=2), marked]))
    cv2.imwrite(str(path), np.concatenate(columns, axis=1)[..., ::-1])


def save_rows(path: Path, columns: Sequence[Tensor], most: int = 12) -> None:
    """Write the first pictures of a batch as rows, a column for each of `columns`, all `(b, 1, h, w)`, 0..1."""
    padded = [functional.pad(one[:most].float().cpu(), (1, 1, 1, 1), value=1.0) for one in columns]
    rows = torch.cat(padded, dim=3)[:, 0]
    picture = (rows.reshape(-1, rows.shape[-1]).clamp(0, 1) * 255).round().byte().numpy()
    cv2.imwrite(str(path), picture)
