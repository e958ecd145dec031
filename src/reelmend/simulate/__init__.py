"""Damage and grain that are known to the pixel: for benchmarks, the bundled sample and training. Never restoration."""
