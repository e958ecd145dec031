"""Grain: measure it in a frame, synthesise it, and give it to repaired pixels."""

from reelmend.grain.apply import regrain
from reelmend.grain.measuring import measure
from reelmend.grain.profile import GrainProfile, PlaneGrain
from reelmend.grain.synthesis import synthesise

__all__ = ["GrainProfile", "PlaneGrain", "measure", "regrain", "synthesise"]
