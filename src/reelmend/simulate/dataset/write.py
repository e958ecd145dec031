"""`reelmend simulate dataset`: training data from any folder of clean footage and photographs."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelmend.errors import MediaError, UsageError
from reelmend.simulate.dataset import card
from reelmend.simulate.dataset.layout import BEGUN, CARD, LOCK, RECIPE, is_made, make_folders
from reelmend.simulate.dataset.making import Task, run, tasks
from reelmend.simulate.dataset.pictures import write_whole
from reelmend.simulate.dataset.plan import Plan, Settings, plans
from reelmend.simulate.dataset.readers.written import ANNOTATIONS
from reelmend.simulate.dataset.sources import SPLITS, Source, find_sources
from reelmend.simulate.recipe import Recipe

Progress = Callable[[int, int], None]
"""Called as samples are done: samples there, samples in all."""


@dataclass(frozen=True, slots=True)
class DatasetResult:
    """What was written."""

    out: Path
    samples: dict[str, int]
    """By split."""
    defects: dict[str, int]
    """By kind, over all splits."""
    made: int
    """Samples made by this run; the others were there already."""
    notes: tuple[str, ...]
    """Sources passed over and why, splits without a source."""


def write_dataset(
    clean_folder: str | Path,
    out: str | Path,
    count: int,
    recipe: Recipe,
    seed: int = 0,
    *,
    window: int = 1,
    size: int | None = None,
    splits: tuple[float, float, float] = (0.8, 0.1, 0.1),
    bits: int = 8,
    photographs: float | None = None,
    shrink: float = 2.0,
    clean: bool = True,
    jobs: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> DatasetResult:
    """Cut `count` samples out of clean footage, damage them, and write them as `layout` says.

    `window`, `size`, `splits`, `bits`, `photographs`, `shrink` and `clean` are those of `Settings`; `jobs` is the
    number of processes. The same folder, recipe, seed, settings and version give the same bytes, whatever `jobs`. A
    run that was killed goes on where it was, and a larger `count` adds samples. `overwrite` begins anew over a dataset
    of another kind.

    Raises UsageError for options and places that cannot be used, MediaError when the disk refuses.
    """
    settings = Settings(window, size, splits, bits, photographs, shrink, clean)
    folder, target = Path(clean_folder), Path(out)
    if count < 1:
        raise UsageError(f"a dataset of {count} samples is none; ask for 1 or more")
    if jobs < 1:
        raise UsageError(f"{jobs} processes cannot work; choose 1 or more")
    if seed < 0:
        raise UsageError(f"the seed is {seed}; choose 0 or more")
    _check_places(folder, target)
    sources, notes = find_sources(folder)
    small = [source for source in sources if not settings.fits(source)]
    notes += [f"{s.name} is {s.width} x {s.height} pixels, smaller than {size}; passed over" for s in small]
    usable = [source for source in sources if settings.fits(source)]
    if not usable:
        raise UsageError(f"{folder} holds nothing of {size} pixels or more; choose a smaller size")
    with _claimed(target):
        _begin(target, card.identity(usable, recipe, seed, settings), count, overwrite)
        made = _make_all(target, usable, count, recipe, seed, settings, jobs, notes, progress)
        return _finish(target, made, recipe, seed, settings)


@dataclass(frozen=True, slots=True)
class _Made:
    plans: list[Plan]
    sources: list[Source]
    """Those that stood the test, and those that did not."""
    notes: list[str]
    new: int


def _make_all(
    target: Path,
    sources: list[Source],
    count: int,
    recipe: Recipe,
    seed: int,
    settings: Settings,
    jobs: int,
    notes: list[str],
    progress: Progress | None,
) -> _Made:
    """Until every sample has a source that can be read: one that breaks gives its samples to the others."""
    standing, new = list(sources), 0
    while True:
        all_plans = list(plans(standing, count, seed, settings))
        for split in {plan.split for plan in all_plans}:
            make_folders(target / split, settings)
        missing = [plan for plan in all_plans if not is_made(target, plan, settings)]
        broken: dict[str, str] = {}
        tell = _Tell(progress, count - len(missing), count)
        for task, number, why in _results(list(tasks(target, missing, recipe, settings)), jobs, tell):
            new += number
            if why is not None:
                broken[task.source.name] = why
        if not broken:
            break
        notes += [f"{why}; passed over" for _, why in sorted(broken.items())]
        standing = [source for source in standing if source.name not in broken]
        if not standing:
            raise UsageError(f"no source can be read to its end ({notes[-1]}); use other copies")
    found = {source.split(settings.splits) for source in standing}
    for split, share in zip(SPLITS, settings.splits, strict=True):
        if share > 0 and split not in found:
            notes.append(f"no source falls into {split}, which stays empty; add more films or photographs")
    return _Made(all_plans, sources, notes, new)


@dataclass(slots=True)
class _Tell:
    """Hands on how many samples are there."""

    progress: Progress | None
    done: int
    count: int

    def more(self, number: int = 1) -> None:
        self.done += number
        if self.progress is not None:
            self.progress(self.done, self.count)


def _results(todo: Sequence[Task], jobs: int, tell: _Tell) -> Iterator[tuple[Task, int, str | None]]:
    """What became of each task."""
    if jobs == 1 or len(todo) < 2:
        for task in todo:
            yield (task, *run(task, tell.more))
        return
    # A fresh interpreter each: threads of the libraries do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(todo)), mp_context=context) as pool:
        try:
            waiting: dict[Future[tuple[int, str | None]], Task] = {pool.submit(run, task): task for task in todo}
            while waiting:
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    task, (number, why) = waiting.pop(future), future.result()
                    tell.more(number)
                    yield task, number, why
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _begin(target: Path, identity: str, count: int, overwrite: bool) -> None:
    """Make sure that what is in the folder is the beginning of this dataset."""
    there = _identity_there(target)
    if there == identity:
        numbers = [int(path.stem) for split in SPLITS for path in (target / split / "records").glob("*.json")]
        if numbers and max(numbers) >= count and not overwrite:
            raise UsageError(
                f"{target} holds {max(numbers) + 1} samples already; ask for as many or more, or --overwrite"
            )
        if not numbers or max(numbers) < count:
            return
    taken = [path.name for path in target.iterdir() if path.name != LOCK]
    if taken and not overwrite:
        what = "holds a dataset of another recipe, seed, source or version" if there else "is not empty"
        raise UsageError(f"{target} {what}; choose another folder, or --overwrite begins anew")
    strange = sorted(set(taken) - {CARD, RECIPE, BEGUN, *SPLITS})
    if strange:
        raise UsageError(f"{target} holds {strange[0]}, which is no part of a dataset; choose another folder")
    for split in SPLITS:
        shutil.rmtree(target / split, ignore_errors=True)
    for name in (CARD, RECIPE):
        (target / name).unlink(missing_ok=True)
    write_whole(target / BEGUN, json.dumps({"identity": identity}).encode())


def _identity_there(target: Path) -> str | None:
    for name in (BEGUN, CARD):
        try:
            return str(json.loads((target / name).read_text(encoding="utf-8"))["identity"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def _finish(target: Path, made: _Made, recipe: Recipe, seed: int, settings: Settings) -> DatasetResult:
    records = card.read_records(target, made.plans)
    for split, own in records.items():
        document = card.coco_document(split, own, made.sources)
        write_whole(target / split / ANNOTATIONS, (json.dumps(document) + "\n").encode())
    write_whole(target / RECIPE, card.recipe_text(recipe, seed).encode())
    whole: dict[str, Any] = card.card(records, made.sources, recipe, seed, settings, made.notes)
    write_whole(target / CARD, (json.dumps(whole, indent=1) + "\n").encode())
    (target / BEGUN).unlink(missing_ok=True)
    kinds: dict[str, int] = {}
    for one in whole["splits"].values():
        for kind, number in one["defects"].items():
            kinds[kind] = kinds.get(kind, 0) + number
    samples = {split: len(own) for split, own in records.items()}
    return DatasetResult(target, samples, kinds, made.new, tuple(made.notes))


def _check_places(folder: Path, target: Path) -> None:
    one, two = folder.resolve(), target.resolve()
    if one == two or one in two.parents or two in one.parents:
        raise UsageError(f"{target} and the clean footage in {folder} lie in one another; choose another place")
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; name a folder")


@contextmanager
def _claimed(target: Path) -> Iterator[None]:
    """The folder for this run alone."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        lock = (target / LOCK).open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write into {target} ({error.strerror}); choose another place") from None
    try:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            # Where the system has no such locks, two runs into one folder are not told apart.
            pass
        except OSError:
            raise UsageError(f"another run is writing {target}; wait for it or stop it") from None
        yield
        (target / LOCK).unlink(missing_ok=True)
    except OSError as error:
        raise MediaError(f"{target} could not be written ({error}); make room and run the same command again") from None
    finally:
        lock.close()
