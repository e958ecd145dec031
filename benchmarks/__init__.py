"""Measures ReelMend's speed, memory and quality; `python -m benchmarks` runs all of it."""
