"""All look-alikes by the name used in recipes."""

from __future__ import annotations

from reelmend.simulate.lookalikes.birds import Birds
from reelmend.simulate.lookalikes.bokeh import Bokeh
from reelmend.simulate.lookalikes.catchlights import Catchlights
from reelmend.simulate.lookalikes.embers import Embers
from reelmend.simulate.lookalikes.foliage import Foliage
from reelmend.simulate.lookalikes.glints import Glints
from reelmend.simulate.lookalikes.insects import Insects
from reelmend.simulate.lookalikes.limbs import Limbs
from reelmend.simulate.lookalikes.promise import LookAlike
from reelmend.simulate.lookalikes.rain import Rain
from reelmend.simulate.lookalikes.snow import Snow
from reelmend.simulate.lookalikes.stars import Stars
from reelmend.simulate.lookalikes.titles import Titles
from reelmend.simulate.lookalikes.wires import Wires

ALL: tuple[LookAlike, ...] = (
    Stars(),
    Bokeh(),
    Foliage(),
    Wires(),
    Limbs(),
    Catchlights(),
    Glints(),
    Embers(),
    Birds(),
    Insects(),
    Snow(),
    Rain(),
    Titles(),
)
"""From the back of the scene to its front, which is the order in which they are drawn."""

LOOKALIKES: dict[str, LookAlike] = {look.name: look for look in ALL}
"""By name."""
