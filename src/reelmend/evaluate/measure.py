"""Whole measurements from files: masks against truth, a restoration against the clean film, damage maps against truth.

Each gives a result as plain values and, with a folder, writes it there as `result.json` with pictures beside it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reelmend.errors import UsageError
from reelmend.evaluate.annotations import read_annotations
from reelmend.evaluate.bootstrap import Resampling
from reelmend.evaluate.boundary import TOLERANCE
from reelmend.evaluate.detection import Detection
from reelmend.evaluate.files import DamageMaps, Digest, MaskFilm, common_frames, frames_together, need_masks
from reelmend.evaluate.overlay import overlay
from reelmend.evaluate.pictures import KEPT, Worst, make_folder, side_by_side
from reelmend.evaluate.plot import sweep_plots
from reelmend.evaluate.provenance import LAYOUT, RESULT, file_digest, provenance, to_json
from reelmend.evaluate.restoration import Restoration, plain_luma
from reelmend.evaluate.thresholds import Thresholds, curve_of
from reelmend.film import Frame, ReelFacts
from reelmend.media import Reel, open_reel
from reelmend.report.picture import to_rgb8


def _silent(done: int, total: int | None) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Settings:
    """What all measurements share."""

    command: str = ""
    """The command line, for the record."""
    name: str | None = None
    """Of the row in tables; the measured file's name where None."""
    made_by: str | None = None
    """The command that made what is measured, for the record."""
    out: Path | None = None
    """Folder for `result.json` and pictures; nothing is written where None."""
    start: int = 0
    frames: int | None = None
    pictures: int = KEPT
    """At most so many frames are shown."""
    how: Resampling = field(default_factory=Resampling)
    progress: Callable[[int, int | None], None] = _silent
    """Called after every frame with frames done and their number, None where it is not known."""


def measure_masks(
    found: Path,
    truth: Path,
    settings: Settings | None = None,
    *,
    source: Path | None = None,
    classes: Path | None = None,
    tolerance: float = TOLERANCE,
) -> dict[str, Any]:
    """Found masks against true ones; overlays over `source`, recall of each class by the annotations in `classes`.

    Raises UsageError for what is missing or does not fit, MediaError for a source that breaks.
    """
    settings = settings or Settings()
    if source is not None and settings.out is None:
        raise UsageError(f"overlays over {source} need a folder to go to; give one with --out")
    inputs = [path for path in (found, truth, source, classes) if path is not None]
    out = None if settings.out is None else make_folder(settings.out, inputs)
    gathered, worst, seen = Detection(tolerance), Worst(settings.pictures), Digest()
    defects = None if classes is None else read_annotations(classes)
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(MaskFilm(path)) for path in (found, truth))
        numbers = common_frames(ours, theirs, settings.start, settings.frames)
        reel = None if source is None else stack.enter_context(open_reel(source))
        shown = None if reel is None else _source_frames(reel, ours, numbers)
        for done, number in enumerate(numbers, 1):
            mask, true = ours.mask(number), theirs.mask(number)
            listed = None if defects is None else defects.get(number, [])
            pixels = gathered.add(number, mask, true, listed).pixels
            if reel is not None and shown is not None:
                frame = next(shown)
                seen.add(number, *frame.planes)
                # Hits weigh next to nothing, but a frame with them is shown rather than one without damage.
                fault = pixels.false_alarms + pixels.misses + 1e-9 * pixels.hits
                if out is not None and worst.wants(fault):
                    worst.offer(fault, number, overlay(to_rgb8(frame, reel.facts.colour), mask, true))
            settings.progress(done, len(numbers))
        data = {"found": ours.digest.text(), "truth": theirs.digest.text()}
        if reel is not None:
            data["source"] = seen.text()
    if classes is not None:
        data["annotations"] = file_digest(classes)
    result = _headed("masks", found, settings, gathered.result(settings.how))
    pictures = worst.write(out, "overlay") if out is not None else []
    return _finished(result, pictures, data, settings, out)


def measure_restoration(
    result: Path,
    clean: Path,
    masks: Path,
    settings: Settings | None = None,
    *,
    damaged: Path | None = None,
    changed: Path | None = None,
    grow: int = 2,
) -> dict[str, Any]:
    """A restored film against the clean one, inside and outside true masks; against `damaged` for what was gained.

    With `damaged`, samples outside masks grown by `grow` pixels are compared bit by bit: outside `changed`, the masks
    that the restorer kept to, where given, else outside `masks`.

    Raises UsageError for what is missing or does not fit, MediaError for a film that breaks.
    """
    settings = settings or Settings()
    inputs = [path for path in (result, clean, masks, damaged, changed) if path is not None]
    out = None if settings.out is None else make_folder(settings.out, inputs)
    if changed is not None and damaged is None:
        raise UsageError("masks of what was changed are compared with the damaged film; give it with --damaged")
    gathered, worst = Restoration(grow), Worst(settings.pictures)
    with ExitStack() as stack:
        paths = {"result": result, "clean": clean} | ({"damaged": damaged} if damaged is not None else {})
        reels = [stack.enter_context(open_reel(path)) for path in paths.values()]
        digests = {role: Digest() for role in paths}
        true = stack.enter_context(_film_masks(masks, reels[0].facts))
        kept_to = None if changed is None else stack.enter_context(_film_masks(changed, reels[0].facts))
        end = settings.start
        total = _count(reels[0].facts, settings)
        for frames, cut in _with_cuts(frames_together(reels, settings.start, settings.frames)):
            number = frames[0].index
            for digest, frame in zip(digests.values(), frames, strict=True):
                digest.add(number, *frame.planes)
            mask = need_masks(true, number)
            allowed = None if kept_to is None else need_masks(kept_to, number)
            before = frames[2] if damaged is not None else None
            fault = gathered.add(frames[0], frames[1], mask, before, allowed, cut)
            if out is not None and worst.wants(fault):
                order = [frames[i] for i in ((2, 0, 1) if before is not None else (0, 1))]
                error = np.abs(plain_luma(frames[0]) - plain_luma(frames[1]))
                shown = [to_rgb8(frame, reels[0].facts.colour) for frame in order]
                worst.offer(fault, number, side_by_side(shown, error, mask))
            end = number + 1
            settings.progress(end - settings.start, total)
        for film in (true, kept_to):
            if film is not None and settings.frames is None and film.numbers and film.numbers[-1] >= end:
                raise UsageError(
                    f"{film.path} goes up to frame {film.numbers[-1]} and {result} ends before frame {end}; give masks "
                    "of the same film, or choose frames with --frames"
                )
        data = {role: digest.text() for role, digest in digests.items()} | {"masks": true.digest.text()}
        if kept_to is not None:
            data["changed"] = kept_to.digest.text()
    made = _headed("restoration", result, settings, gathered.result(settings.how))
    pictures = worst.write(out, "closeup") if out is not None else []
    return _finished(made, pictures, data, settings, out)


def measure_sweep(maps: Path, truth: Path, settings: Settings | None = None) -> dict[str, Any]:
    """Damage maps against true masks at every threshold.

    Raises UsageError for what is missing or does not fit, MediaError for maps that break.
    """
    settings = settings or Settings()
    out = None if settings.out is None else make_folder(settings.out, [maps, truth])
    gathered = Thresholds()
    with ExitStack() as stack:
        ours, theirs = stack.enter_context(DamageMaps(maps)), stack.enter_context(MaskFilm(truth))
        numbers = common_frames(ours, theirs, settings.start, settings.frames)
        for done, (number, damage) in enumerate(ours.maps(numbers), 1):
            gathered.add(number, damage, theirs.mask(number))
            settings.progress(done, len(numbers))
        data = {"maps": ours.digest.text(), "truth": theirs.digest.text()}
    result = _headed("sweep", maps, settings, gathered.result(settings.how))
    pictures = []
    if out is not None:
        for name, text in sweep_plots([(result["name"], curve_of(result), result["reliability"])]).items():
            (out / f"{name}.svg").write_text(text + "\n", encoding="utf-8")
            pictures.append({"file": f"{name}.svg", "frame": None})
    return _finished(result, pictures, data, settings, out)


def _headed(kind: str, path: Path, settings: Settings, figures: dict[str, Any]) -> dict[str, Any]:
    return {"layout": LAYOUT, "kind": kind, "name": settings.name or path.name or kind, **figures}


def _finished(
    result: dict[str, Any],
    pictures: Sequence[dict[str, Any]],
    data: dict[str, str],
    settings: Settings,
    out: Path | None,
) -> dict[str, Any]:
    result["pictures"] = list(pictures)
    result["provenance"] = provenance(settings.command, settings.how.seed, data, settings.made_by)
    if out is not None:
        write_text(out / RESULT, to_json(result))
    return result


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all. Raises UsageError where it cannot be written."""
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); choose another folder") from None


def _source_frames(reel: Reel, masks: MaskFilm, numbers: Sequence[int]) -> Iterator[Frame]:
    facts = reel.facts
    if (facts.height, facts.width) != (masks.height, masks.width):
        raise UsageError(
            f"{facts.path} is {facts.width}x{facts.height} and {masks.path} is {masks.width}x{masks.height}; give the "
            "film that the masks belong to"
        )
    wanted = set(numbers)
    for frame in reel.frames(numbers[0]):
        if frame.index in wanted:
            yield frame
    raise UsageError(f"{facts.path} ends before frame {numbers[-1]}; give the film that the masks belong to")


def _film_masks(path: Path, facts: ReelFacts) -> MaskFilm:
    masks = MaskFilm(path)
    if (masks.height, masks.width) != (facts.height, facts.width):
        masks.close()
        raise UsageError(
            f"{path} is {masks.width}x{masks.height} and {facts.path} is {facts.width}x{facts.height}; masks have the "
            "film's size"
        )
    return masks


def _count(facts: ReelFacts, settings: Settings) -> int | None:
    if facts.frames is None:
        return settings.frames
    left = max(0, facts.frames - settings.start)
    return left if settings.frames is None else min(left, settings.frames)


def _with_cuts(stream: Iterator[tuple[Frame, ...]]) -> Iterator[tuple[tuple[Frame, ...], bool]]:
    """Frames of all films with whether the clean one, the second, begins a new shot there."""
    from reelmend.motion.cuts import shots
    from reelmend.motion.picture import Picture, picture

    waiting: deque[tuple[Frame, ...]] = deque()

    def cleans() -> Iterator[Picture]:
        for frames in stream:
            waiting.append(frames)
            yield picture(frames[1])

    last = 0
    for shot, _ in shots(cleans()):
        yield waiting.popleft(), shot != last
        last = shot
