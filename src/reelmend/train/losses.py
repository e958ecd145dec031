"""Losses for damage, which covers about one pixel in a hundred.

Cross entropy alone is content with finding nothing for a long while, since 99 of 100 pixels are right that way; a
region loss alone has no gradient where nothing overlaps and says nothing about probabilities. Their sum has neither
fault.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def pixel_loss(logits: Tensor, truth: Tensor, judged: Tensor, focus: float = 0.0) -> Tensor:
    """Binary cross entropy, mean over pixels; with `focus` > 0 the focal loss of Lin et al. (2017), gamma = focus.

    `logits`, `truth` and `judged` are `(b, 1, h, w)`; truth 0..1, judged 0 where neither answer
    counts. The focal factor is normalised so that its scale stays that of
    cross entropy for an undecided net.
    """
    entropy = F.binary_cross_entropy_with_logits(logits.float(), truth, reduction="none")
    if focus > 0:
        probability = torch.sigmoid(logits.float())
        miss = truth * (1 - probability) + (1 - truth) * probability
        entropy = entropy * (2 * miss) ** focus
    return (entropy * judged).mean()


def region_loss(logits: Tensor, truth: Tensor, judged: Tensor, miss_weight: float = 0.5) -> Tensor:
    """One minus the Tversky index (Salehi et al. 2017) of the whole batch; 0.5 makes it the Dice loss.

    Over the batch, not picture by picture: a picture without damage has no overlap to measure.
    """
    probability = torch.sigmoid(logits.float()) * judged
    truth = truth * judged
    hits = (probability * truth).sum()
    misses = truth.sum() - hits
    false_alarms = probability.sum() - hits
    return 1 - (hits + 1) / (hits + miss_weight * misses + (1 - miss_weight) * false_alarms + 1)
