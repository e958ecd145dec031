"""Measures of fidelity, of masks and of grain, and pictures of masks: plain numpy in, plain numbers out."""
