"""Learned detectors: a network's damage map, refined. Where a frame has no neighbours, a network for stills looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from reelmend.detect import blotches, faint, lines
from reelmend.detect.agreement import agreement
from reelmend.detect.border import clear_border
from reelmend.detect.evidence import LearnedEvidence
from reelmend.detect.familiar import clear_familiar, familiar
from reelmend.detect.flight import flight
from reelmend.detect.labels import Labels
from reelmend.detect.listing import listed
from reelmend.detect.opinions import Opinion, clear_doubted, clear_ruled_out, weighed
from reelmend.detect.promise import Detection
from reelmend.detect.refine import Limits, refined
from reelmend.detect.scales import joined, shrunken
from reelmend.detect.spike import SpikeDetector
from reelmend.film import DamageMap
from reelmend.motion.stack import middle_of, stack_of
from reelmend.motion.warp import Warps
from reelmend.motion.windows import Window
from reelmend.runtime import Network, load_network

SMALLEST = {"gentle": 4, "standard": 3, "strong": 2}
"""Pixels, on a frame 640 wide; scaled with the width, at least the number itself. With its square, specks of 30 pixels
are left, of which a 1920 wide scan of 35 mm has many; grain is not found so either."""

LARGEST_SHARE = 0.05
"""Of the frame's area: one blob larger than this is a lost frame, not dirt."""

LARGEST_SHARE_AT_ENDS, LARGE_AT_ENDS = 0.005, 200
"""The same where all neighbours are on one side, at the ends of a shot: what comes into the picture there looks like
dirt to everybody (a ball was taken for it). So many pixels, in a small picture more than the share, may be
taken all the same."""

LOST_SHARE = {"gentle": 0.06, "standard": 0.12, "strong": 0.25}
"""Where more of a frame than this would be touched, its neighbours do not show the same scene: it is left alone."""

FRINGE = 0.6
"""Of the strength's own probability: from here on pixels belong to a blob that holds a sure one."""

STRONGER = {"gentle": "standard", "standard": "strong", "strong": "strong"}
"""Strength that decides what is asked for twice: what is seen in raised contrast, of which only small specks are taken
(few other things are as small), and what the neighbours agree about."""

DOUBTED = {"gentle": 0.5, "standard": 0.3, "strong": 0.3}
"""A blob goes if the classical detector, which follows things over more frames, gives it less than this probability:
hands and legs in mid-step go. `docs/detection.md` has what that, and weighing both opinions before, are worth."""

SURROUNDINGS = 15
"""Pixels: side of the square whose median a still frame's damage is brighter or darker than."""


class LearnedDetector:
    """A trained network that looks at a window, and one for stills where a frame stands alone."""

    def __init__(
        self,
        name: str,
        strength: str = "standard",
        min_blob: int | None = None,
        max_blob: int | None = None,
        *,
        network: Network,
        still: Network | None = None,
        second: SpikeDetector | None = None,
        apart: bool = False,
    ) -> None:
        """`still` is shown frames without neighbours; None: they are left alone. `second` is asked about every blob of
        a window. `apart`: line scratches, large blotches and faint damage are looked for beside it, and what comes back
        nearby or is large at the ends of shots is left alone. ValueError if `still` is no network for stills."""
        if still is not None and still.frames != 1:
            raise ValueError(f"{still.name} is no network for stills: it is shown {still.frames} frames")
        self.name = name
        self._strength = strength
        self._min_blob, self._max_blob = min_blob, max_blob
        self._network, self._still, self._second = network, still, second
        self._apart = apart

    @property
    def network(self) -> Network:
        """What looks at windows."""
        return self._network

    @property
    def computed(self) -> tuple[str, ...]:
        """What computes the networks' maps, in words: a report says it, for another machine may round otherwise."""
        networks = [one for one in (self._network, self._still) if one is not None]
        return tuple(f"{one.name} on {one.engine.name} in {one.precision}" for one in networks)

    def look(self, window: Window) -> LearnedEvidence:
        small = shrunken(window)
        if small is None:
            seen = self._look(window, self._second, self._apart)
        else:
            # The classical detector judges shapes of the size that it was fitted to.
            coarse = self._look(small, self._second, self._apart)
            seen = replace(self._look(window, None), coarse=coarse, blotches=coarse.blotches)
        return replace(seen, lines=lines.look(window)) if self._apart and window.neighbours else seen

    def _look(self, window: Window, second: SpikeDetector | None, apart: bool = False) -> LearnedEvidence:
        """`apart`: large blotches are looked for too, and faint damage where there is little grain."""
        network = self._network if window.neighbours or self._network.frames == 1 else self._still
        warps = Warps(window)
        stack = stack_of(window, network.frames, warps) if network else None
        luma = window.centre.luma
        if network is None or stack is None:
            return LearnedEvidence(np.zeros(luma.shape, np.float32), np.zeros(luma.shape, np.bool_), None)
        damage = network.damage(stack)
        if len(stack) > 1:
            expected = middle_of(stack)
        else:
            expected = cv2.medianBlur(luma, SURROUNDINGS).astype(np.float32) / 255
        asked = second.look(window, warps) if second and len(stack) > 1 else None
        at_end = self._apart and len(stack) > 1 and not (window.before and window.after)
        seen = LearnedEvidence(damage, stack[0] > expected, network, asked, at_end=at_end)
        if not self._apart or len(stack) == 1:
            return seen
        points = network.card.operating_points
        stands_out = damage >= FRINGE * float(getattr(points, STRONGER[self._strength]))
        if apart:
            seen = replace(seen, blotches=blotches.look(window, stack))
            raised = faint.look(network, stack, expected)
            if raised is not None:
                seen = replace(seen, raised=raised)
                stands_out |= raised >= FRINGE * float(getattr(points, STRONGER[STRONGER[self._strength]]))
        if apart and not at_end and stands_out.any():
            seen = replace(seen, agreement=agreement(stack))
        return replace(seen, again=familiar(stack, expected, stands_out))

    def needs(self, evidence: LearnedEvidence) -> tuple[int, ...]:
        return self._asked(evidence) + evidence.wanted_by_lines + evidence.wanted_by_blotches

    def _asked(self, evidence: LearnedEvidence) -> tuple[int, ...]:
        """The frames whose evidence the classical detector wants."""
        return self._second.needs(evidence.opinion) if self._second and evidence.opinion else ()

    def decide(self, evidence: LearnedEvidence, others: tuple[LearnedEvidence | None, ...]) -> Detection:
        first = len(self._asked(evidence))
        second = first + len(evidence.wanted_by_lines)
        asked, along, around = others[:first], others[first:second], others[second:]
        theirs = None
        if self._second and evidence.opinion and evidence.opinion.pair:
            theirs = self._opinion(evidence.coarse or evidence, self._second, asked)
        coarse = evidence.coarse
        if coarse is None:
            found = self._found(evidence, theirs)
        else:
            height, width = evidence.damage.shape
            agreed = coarse.agreement.enlarged((height, width)) if coarse.agreement else None
            found = self._found(replace(evidence, agreement=agreed), theirs)
            found = joined(found, self._found(coarse, theirs, coarse.damage.size / evidence.damage.size))
        if found.note:
            return found
        if evidence.blotches is not None:
            most = round(LOST_SHARE[self._strength] * found.mask.size)
            things = [other.blotches if other else None for other in around]
            found = blotches.added(found, evidence.blotches, things, self._strength, self._max_blob or most)
        if evidence.lines is None:
            return found
        scratches = lines.judge(evidence.lines, [other.lines if other else None for other in along])
        return lines.added(found, scratches, self._strength, self._max_blob)

    def _opinion(
        self, evidence: LearnedEvidence, second: SpikeDetector, others: Sequence[LearnedEvidence | None]
    ) -> Opinion:
        """What the classical detector says of what it looked at, given the frames that it wants."""
        asked = evidence.second
        assert asked and evidence.network
        beside = [other.opinion if other else None for other in others]
        seen = self._own(evidence.damage, evidence.network, 1.0, self._strength).mask
        if evidence.raised is not None:
            seen |= self._own(evidence.raised, evidence.network, 1.0, STRONGER[self._strength]).mask
        first, last = (other.blobs if other else None for other in beside)
        flown = flight(asked, (first, last), seen, evidence.brighter)
        return Opinion(second.decide(asked, tuple(beside)).damage, asked.where, flown)

    def _found(self, evidence: LearnedEvidence, theirs: Opinion | None, scale: float = 1.0) -> Detection:
        """What either look at a picture finds. `scale`: area of the picture in that of the scan."""
        found = self._decide(evidence, theirs, scale, self._strength)
        if evidence.raised is None or found.note:
            return found
        raised = replace(evidence, damage=evidence.raised)
        again = self._decide(raised, theirs, scale, STRONGER[self._strength])
        return faint.added(found, again, evidence.agreement)

    def _decide(self, evidence: LearnedEvidence, theirs: Opinion | None, scale: float, strength: str) -> Detection:
        damage = evidence.damage
        shape = (damage.shape[0], damage.shape[1])
        if evidence.network is None:
            return Detection(damage, damage > 0, (), "no different neighbours in its shot")
        if theirs:
            theirs = theirs.enlarged(shape)
            damage = weighed(damage, theirs.damage, theirs.candidates)
        labels = refined(damage, self.limits(evidence.network, shape, scale, strength, evidence.at_end))
        if evidence.network.frames > 1:
            clear_border(labels)
        if theirs:
            clear_doubted(labels, evidence.damage, theirs.damage, theirs.candidates, DOUBTED[strength])
        if evidence.agreement is not None:
            own = self._own(evidence.damage, evidence.network, scale, strength)
            own.clear(own.touching(labels.mask))
            if theirs:
                clear_ruled_out(own, theirs.damage, theirs.candidates)
            agreed = evidence.agreement.agreed(own)
            if agreed.any():
                damage = damage.copy()
                damage[agreed] = np.maximum(damage[agreed], evidence.damage[agreed])
                labels = Labels(labels.mask | agreed)
            evidence.agreement.clear_disputed(labels, damage)
        if evidence.again is not None:
            clear_familiar(labels, evidence.again)
        if theirs:
            theirs.flown.clear(labels, evidence.brighter)
        share = len(labels.where) / damage.size
        if share > LOST_SHARE[strength]:
            note = f"{share:.0%} of it looks damaged: left alone"
            return Detection(damage, np.zeros(shape, np.bool_), (), note)
        return Detection(damage, labels.mask, listed(damage, labels, evidence.brighter))

    def _own(self, damage: DamageMap, network: Network, scale: float, strength: str) -> Labels:
        """What the network alone finds one strength stronger, with outlines no wider."""
        shape = (damage.shape[0], damage.shape[1])
        usual, ready = (self.limits(network, shape, scale, one) for one in (strength, STRONGER[strength]))
        labels = refined(damage, replace(ready, fringe=min(usual.fringe, ready.seed)))
        clear_border(labels)
        return labels

    def limits(
        self,
        network: Network,
        shape: tuple[int, int],
        scale: float = 1.0,
        strength: str | None = None,
        at_end: bool = False,
    ) -> Limits:
        """Of a picture of `shape`, which has `scale` times the scan's area; `strength` None: the detector's own;
        `at_end`: with neighbours on one side alone."""
        height, width = shape
        strength = strength or self._strength
        seed = float(getattr(network.card.operating_points, strength))
        smallest, largest = smallest_blob(self._strength, width), round(LARGEST_SHARE * height * width)
        if at_end:
            largest = max(round(LARGEST_SHARE_AT_ENDS * height * width), LARGE_AT_ENDS)
        if self._min_blob is not None:
            smallest = max(1, round(scale * self._min_blob))
        if self._max_blob is not None:
            largest = max(1, round(scale * self._max_blob))
        return Limits(seed, FRINGE * seed, smallest, largest)


def smallest_blob(strength: str, width: int) -> int:
    """Pixels of the smallest blob that is taken, in a frame of a width."""
    return round(SMALLEST[strength] * max(1.0, width / 640))


def learned(
    name: str,
    strength: str = "standard",
    min_blob: int | None = None,
    max_blob: int | None = None,
    device: str = "auto",
    threads: int = 1,
    *,
    still: str | None = "still",
    second: bool = True,
) -> LearnedDetector:
    """The detector of a network by name, with a network for stills beside it where it is for windows, and the classical
    detector for a second opinion, and searches for line scratches and large blotches, unless `second` is False.

    `device` and `threads` as in `load_network`, which says what is raised, and which picks the precision. `still`
    None: frames without neighbours are left alone.
    """
    network = load_network(name, device, threads, precision=None)
    beside = load_network(still, device, threads, precision=None) if still and network.frames > 1 else None
    asked = SpikeDetector(strength) if second and network.frames > 1 else None
    return LearnedDetector(
        name, strength, min_blob, max_blob, network=network, still=beside, second=asked, apart=asked is not None
    )  # fmt: skip
