"""Regions of a picture without training: a diffusion model's self-attention, walked on and cut. Needs `[segment]`.

    from reelmend.segment import load_model, segment
    hierarchy = segment(picture, load_model())

After Ivanova et al., "Unsupervised Segmentation by Diffusing, Walking and Cutting" (2024).
"""

from reelmend.segment.hierarchy import Hierarchy, Node
from reelmend.segment.models import load_model
from reelmend.segment.run import Options, segment
from reelmend.segment.seeing import Showing

__all__ = ["Hierarchy", "Node", "Options", "Showing", "load_model", "segment"]
