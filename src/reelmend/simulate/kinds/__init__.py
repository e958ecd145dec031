"""The kinds of damage, one small file each."""

from __future__ import annotations

from reelmend.simulate.kinds.abrasion import AbrasionKind
from reelmend.simulate.kinds.cinch_mark import CinchMarkKind
from reelmend.simulate.kinds.clump import ClumpKind
from reelmend.simulate.kinds.crack import CrackKind
from reelmend.simulate.kinds.dirt import DirtKind
from reelmend.simulate.kinds.dust import DustKind
from reelmend.simulate.kinds.emulsion_loss import EmulsionLossKind
from reelmend.simulate.kinds.finger_print import FingerPrintKind
from reelmend.simulate.kinds.gate_hair import GateHairKind
from reelmend.simulate.kinds.hair import LongHairKind, ShortHairKind
from reelmend.simulate.kinds.line_scratch import LineScratchKind
from reelmend.simulate.kinds.lint import LintKind
from reelmend.simulate.kinds.mould import MouldKind
from reelmend.simulate.kinds.outline import OutlineKind
from reelmend.simulate.kinds.perforation_damage import PerforationDamageKind
from reelmend.simulate.kinds.promise import Kind
from reelmend.simulate.kinds.scratch import ScratchKind
from reelmend.simulate.kinds.splice import SpliceKind
from reelmend.simulate.kinds.stain import StainKind
from reelmend.simulate.kinds.water_spot import WaterSpotKind

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        DustKind(),
        DirtKind(),
        ClumpKind(),
        ShortHairKind(),
        LongHairKind(),
        LintKind(),
        ScratchKind(),
        OutlineKind(),
        LineScratchKind(),
        CinchMarkKind(),
        AbrasionKind(),
        WaterSpotKind(),
        StainKind(),
        EmulsionLossKind(),
        CrackKind(),
        FingerPrintKind(),
        SpliceKind(),
        PerforationDamageKind(),
        MouldKind(),
        GateHairKind(),
    )
}
"""By the name used in recipes and annotations."""
