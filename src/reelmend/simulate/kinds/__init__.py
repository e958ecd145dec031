"""The kinds of damage, one small file each."""

from __future__ import annotations

from reelmend.simulate.kinds.promise import Kind

KINDS: dict[str, Kind] = {}
"""By the name used in recipes and annotations."""
