"""Diffusion models in theory: noise levels, what a network predicts, samplers. Arrays of NumPy or torch alike."""

from reelmend.diffusion.levels import Levels, cosine, karras, linear
from reelmend.diffusion.prediction import EDM, PREDICTIONS, Denoiser
from reelmend.diffusion.samplers import SAMPLERS, ddim, ddpm, dpm_solver, heun

__all__ = [
    "EDM",
    "PREDICTIONS",
    "SAMPLERS",
    "Denoiser",
    "Levels",
    "cosine",
    "ddim",
    "ddpm",
    "dpm_solver",
    "heun",
    "karras",
    "linear",
]
