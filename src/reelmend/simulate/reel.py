"""A whole simulated reel: clean footage in; damaged film, masks, annotations and the exact recipe out."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from reelmend import __version__
from reelmend.errors import UsageError
from reelmend.film import Frame, ReelFacts
from reelmend.media import Policy, open_mask_writer, open_reel, open_writer
from reelmend.media.paths import sync, writing
from reelmend.simulate.annotations import AnnotationWriter
from reelmend.simulate.recipe import RUN, Recipe
from reelmend.simulate.simulation import Simulated, Simulation

Progress = Callable[[int, int | None, float], None]
"""Called after each frame: frames done, frames in all (about; None = unknown), mean damaged share of those done."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was made and where it lies."""

    frames: int
    damaged_fraction: float
    """Mean share of damaged pixels."""
    defects: int
    """Annotated defects, each counted on every frame that it shows on."""
    gauge: str
    output: Path
    masks: Path
    annotations: Path
    recipe: Path
    reference: Path | None
    notes: tuple[str, ...]
    """What the output cannot keep of the source."""


def simulate(
    source: str | Path,
    output: str | Path,
    masks: str | Path,
    recipe: Recipe,
    seed: int = 0,
    *,
    start: int = 0,
    frames: int | None = None,
    reference: str | Path | None = None,
    overwrite: bool = False,
    gaps: Policy = "stop",
    on_error: Policy = "stop",
    threads: int = 0,
    progress: Progress | None = None,
) -> Result:
    """Damage a clean reel or image and write it, with masks, annotations and recipe.

    `masks` is a folder of PNGs or one `.mkv`; `NAME.annotations.json` and `NAME.recipe.toml` appear beside it, NAME
    being its name without suffix. `reference` also writes the film as it would be without damage, grain and all. The
    same source, recipe, seed and version give the same bytes, and a stretch (`start`, `frames`) gives exactly those
    frames of the whole. Every file appears whole or not at all, the film last.

    Raises UsageError for a source, place or recipe that cannot be used, MediaError for what goes wrong on the way.
    """
    places = _Places(
        Path(source),
        Path(output),
        Path(masks),
        *beside(Path(masks)),
        Path(reference) if reference is not None else None,
    )
    places.check(overwrite)
    with ExitStack() as stack:
        reel = stack.enter_context(open_reel(source, gaps=gaps, on_error=on_error, threads=threads))
        facts = reel.facts
        total = _total(facts, start, frames)
        simulation = Simulation.like(recipe, seed, facts)
        film_work, mask_work = (_workplace(place, stack) for place in (places.output, places.masks))
        span: dict[str, Any] = {"start": start, "count": frames, "overwrite": overwrite, "threads": threads}
        film = stack.enter_context(
            open_writer(places.output, facts, source=reel, work=_folder(film_work, "film"), **span)
        )
        mask_film = stack.enter_context(
            open_mask_writer(
                places.masks,
                facts.height,
                facts.width,
                rate=facts.rate,
                work=_folder(mask_work, "masks"),
                # Masks and annotations belong to the damaged film, whose first frame is its frame 0.
                **span | {"start": 0},
            )
        )
        clean = None
        if places.reference is not None:
            work = _folder(_workplace(places.reference, stack), "reference")
            clean = stack.enter_context(open_writer(places.reference, facts, source=reel, work=work, **span))
        size = {"width": facts.width, "height": facts.height}
        notes = stack.enter_context(AnnotationWriter(places.annotations, mask_work / "annotations.json", size))
        done, damaged, defects = 0, 0.0, 0
        stack.callback(cv2.setNumThreads, cv2.getNumThreads())
        # Frames are made side by side; OpenCV's own threads would only get in their way.
        cv2.setNumThreads(1)
        workers = threads or os.cpu_count() or 1
        stream = stack.enter_context(closing(_side_by_side(reel.frames(start, frames), simulation, workers)))
        for made in stream:
            film.write(made.frame)
            mask_film.write(made.truth)
            if clean is not None:
                clean.write(made.clean)
            for entry in made.annotations:
                notes.write(entry | {"frame": entry["frame"] - start})
            done, damaged, defects = done + 1, damaged + float(made.truth.mean()), defects + len(made.annotations)
            if progress is not None:
                progress(done, total, damaged / done)
        if not done:
            raise UsageError(f"{source} ends before frame {start}; give a smaller --start")
        mask_film.finish()
        notes.finish()
        _write_recipe(places.recipe, mask_work / "recipe.toml", simulation, span)
        if clean is not None:
            clean.finish()
        film.finish()
        return Result(
            done, damaged / done, defects, simulation.gauge, places.output, places.masks, places.annotations,
            places.recipe, places.reference, tuple(dict.fromkeys((*facts.notes, *film.notes))),
        )  # fmt: skip


def beside(masks: Path) -> tuple[Path, Path]:
    """Where the annotations and the recipe of these masks lie."""
    name = masks.stem if masks.suffix.lower() == ".mkv" else masks.name
    return masks.with_name(f"{name}.annotations.json"), masks.with_name(f"{name}.recipe.toml")


@dataclass(frozen=True, slots=True)
class _Places:
    source: Path
    output: Path
    masks: Path
    annotations: Path
    recipe: Path
    reference: Path | None

    def check(self, overwrite: bool) -> None:
        """What the writers cannot know: that one of them would touch what another reads or writes."""
        written = [place for place in (self.output, self.masks, self.reference) if place is not None]
        for index, place in enumerate(written):
            if place.absolute() in [other.absolute() for other in written[:index]]:
                raise UsageError(f"two things would be written to {place}; give them different names")
        for place in written:
            if _same(place, self.source):
                raise UsageError(f"{place} is the source itself; choose another place, the source is never changed")
            if self.source.is_dir() and self.source.resolve() in place.resolve().parents:
                raise UsageError(f"{place} lies inside the source {self.source}; choose another place")
        for place in (self.annotations, self.recipe):
            if _same(place, self.source) or (place.exists() and not overwrite):
                raise UsageError(f"{place} exists already; --overwrite replaces it")


def _same(one: Path, other: Path) -> bool:
    return os.path.samefile(one, other) if one.exists() and other.exists() else one.resolve() == other.resolve()


def _side_by_side(stream: Iterator[Frame], simulation: Simulation, workers: int) -> Generator[Simulated, None, None]:
    """The frames of a stream, simulated by several threads, in order; a few at a time."""
    under_way: deque[Future[Simulated]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="simulate") as pool:
        try:
            for frame in stream:
                under_way.append(pool.submit(simulation.frame, frame))
                if len(under_way) > workers:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()


def _total(facts: ReelFacts, start: int, frames: int | None) -> int | None:
    if facts.frames is None:
        about = max(facts.frames_about - start, 0) if facts.frames_about is not None else None
        return frames if about is None else about if frames is None else min(about, frames)
    left = facts.frames - start
    if left <= 0:
        raise UsageError(f"{facts.path} has {facts.frames} frames; --start {start} is beyond its end")
    return left if frames is None else min(left, frames)


def _workplace(place: Path, stack: ExitStack) -> Path:
    """A folder on the file system of an output for what is unfinished; gone afterwards, whatever happens."""
    # Its name must not look like a pattern to the libraries that write into it.
    name = place.name.replace("%", "").replace("#", "_")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".simulate", dir=place.parent))
    except OSError as error:
        raise UsageError(f"cannot write beside {place}: {error.strerror}; choose another place") from None
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _folder(work: Path, name: str) -> Path:
    folder = work / name
    folder.mkdir()
    return folder


def _write_recipe(path: Path, draft: Path, simulation: Simulation, span: dict[str, Any]) -> None:
    """The recipe as it was used, gauge picked and defaults spelled out; `--recipe` takes it again."""
    import tomli_w

    run = {"version": __version__, "seed": simulation.seed, "start": span["start"]}
    if span["count"] is not None:
        run["frames"] = span["count"]
    values = simulation.recipe.model_dump(mode="json", exclude_none=True)
    with writing(path):
        draft.write_text(tomli_w.dumps({**values, RUN: run}), encoding="utf-8", newline="\n")
        sync(draft)
        draft.replace(path)
