"""All look-alikes by the name used in recipes."""

from __future__ import annotations

from reelmend.simulate.lookalikes.promise import LookAlike
from reelmend.simulate.lookalikes.stars import Stars

LOOKALIKES: dict[str, LookAlike] = {look.name: look for look in (Stars(),)}
"""By name."""
