"""`reelmend simulate`: damage clean footage; fit and check the statistics of damage; make datasets."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from reelmend.cli import options as o
from reelmend.cli.research import research

if TYPE_CHECKING:
    from reelmend.simulate.reel import Result

DEFAULT = "run"
"""The command that is meant where none is named."""


class DefaultGroup(TyperGroup):
    """A group that takes arguments too: what does not begin with one of its commands is for `DEFAULT`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=DefaultGroup,
    rich_markup_mode="rich",
    subcommand_metavar="CLEAN OUTPUT --masks PATH | COMMAND ...",
    help="Damage clean footage as film is damaged, and know it to the pixel; `reelmend simulate run --help` explains "
    "the options. Further commands fit and check the statistics of damage and make datasets.",
)

RecipeOption = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        metavar="NAME|FILE",
        help="What the damage is like: a recipe of the package, or a TOML file.",
        show_default="standard",
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option(
        "--seed", metavar="N", min=0, max=2**32 - 1,
        help="Of everything random; the same seed gives the same bytes.", show_default="the recipe file's, else 0",
    ),
]  # fmt: skip
Annotations = Annotated[
    list[Path],
    typer.Argument(
        metavar="ANNOTATIONS...", help="Annotated scans, scan_*.json, or folders of them.", show_default=False
    ),
]


@app.command(DEFAULT)
def run(
    clean: Annotated[Path, o.reel("The clean reel or image to damage.", "CLEAN")],
    output: Annotated[Path, o.reel("The damaged reel to write; its suffix decides the codec.", "OUTPUT")],
    masks: Annotated[
        Path,
        typer.Option(
            "--masks", metavar="PATH", show_default=False,
            help="Where the true masks go: a folder of PNGs, or a file ending in .mkv. Annotations and the exact "
            "recipe are written beside it.",
        ),
    ],
    recipe: RecipeOption = None,
    seed: SeedOption = None,
    start: o.Start = None,
    frames: o.Frames = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference", metavar="PATH",
            help="Also write the same film without its damage: what a restoration should come to.",
        ),
    ] = None,
    gaps: o.Gaps = None,
    on_error: o.OnError = None,
    threads: o.Threads = None,
    overwrite: o.Overwrite = None,
    quiet: o.Quiet = False,
) -> None:  # fmt: skip
    """Damage CLEAN and write OUTPUT, with masks, annotations and the exact recipe. The word `run` may be left out."""
    from reelmend.cli.work import Stopped
    from reelmend.config import Job
    from reelmend.pipeline.places import check_places
    from reelmend.simulate.recipe import DEFAULT as STANDARD
    from reelmend.simulate.recipe import load_recipe, recorded_seed
    from reelmend.simulate.reel import simulate

    job = Job.build(
        source=clean, output=output, masks=masks, start=start, frames=frames, gaps=gaps, on_error=on_error,
        threads=threads, overwrite=overwrite,
    )  # fmt: skip
    check_places(job, "restore")
    name = recipe or STANDARD
    chosen = load_recipe(name)
    number = seed if seed is not None else recorded_seed(name) or 0
    begun = time.perf_counter()
    try:
        with _progress(quiet) as update:
            result = simulate(
                clean, output, masks, chosen, number, start=job.start, frames=job.frames, reference=reference,
                overwrite=job.overwrite, gaps=job.gaps, on_error=job.on_error, threads=job.threads, progress=update,
            )  # fmt: skip
    except KeyboardInterrupt:
        raise Stopped("stopped; nothing was written, the same command starts again") from None
    if not quiet:
        print("\n".join(summed_up(result, chosen.name, number, time.perf_counter() - begun)))


@app.command()
def fit(
    annotations: Annotations,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the statistics go.")
    ] = Path("statistics.json"),
    overwrite: o.Overwrite = None,
) -> None:  # fmt: skip
    """Fit the statistics of damage to annotated scans: counts, clusters, sizes and shapes, as plain numbers."""
    from reelmend.errors import UsageError

    if output.exists() and not overwrite:
        raise UsageError(f"{output} exists already; --overwrite replaces it")
    with research("simulate fit"):
        from reelmend.simulate.fit.fit import fit_statistics

        statistics = fit_statistics(scans(annotations))
    statistics.save(output)
    for name, kind in statistics.kinds.items():
        print(f"{name:<11} {kind.count.per_mm2 * 100:.4g} on 100 mm2, dispersion {kind.count.dispersion:.3g}")
    print(f"output      {output}")


@app.command()
def check(
    annotations: Annotations,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the report goes.")
    ] = Path("realism"),
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of the shapes that are simulated.")] = 0,
    threads: o.Threads = None,
    overwrite: o.Overwrite = None,
) -> None:  # fmt: skip
    """Check how real simulated damage is: each scan left out of the fit in turn, tests, plots, a classifier."""
    from reelmend.errors import UsageError

    if output.is_dir() and any(output.iterdir()) and not overwrite:
        raise UsageError(f"{output} exists already and is not empty; --overwrite replaces the report in it")
    with research("simulate check"):
        from reelmend.simulate.check.check import check as realism

        result = realism(scans(annotations), output, seed=seed, jobs=_jobs(threads))
    for kind in result.kinds:
        told = (
            "too few to train a classifier" if kind.judgement is None else f"{result.accuracy(kind.kind) * 100:.1f} %"
        )
        print(f"{kind.kind:<11} {told}")
    print(f"accuracy of a classifier that tells real from simulated; 50 % = it cannot\nreport      {result.report}")


@app.command()
def dataset(
    clean: Annotated[Path, o.reel("A folder of clean pictures and films.", "CLEAN_FOLDER")],
    out: Annotated[Path, o.reel("The folder of the dataset.", "OUT")],
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="Samples to write.", show_default=False)],
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe", metavar="NAME|FILE", help="What the damage is like: a recipe of the package, or a TOML file.",
            show_default="training-stills; training-window for windows",
        ),
    ] = None,
    seed: SeedOption = None,
    window: Annotated[int, typer.Option("--window", metavar="1|3|5", help="Frames in a sample.")] = 1,
    size: Annotated[
        int | None, typer.Option("--size", metavar="PX", help="Side of square crops; unset: whole frames.")
    ] = None,
    splits: Annotated[
        str, typer.Option("--splits", metavar="A,B,C", help="Shares of training, validation and test, adding up to 1.")
    ] = "0.8,0.1,0.1",
    bits: Annotated[int, typer.Option("--bits", metavar="8|16", help="Of the PNGs.")] = 8,
    photographs: Annotated[
        float | None,
        typer.Option(
            "--photographs", metavar="SHARE", help="Share of the samples cut from photographs, beside films.",
            show_default="0.5; 0.25 for windows",
        ),
    ] = None,
    shrink: Annotated[
        float, typer.Option("--shrink", metavar="FACTOR", help="By how much lossy pictures are made smaller.")
    ] = 2.0,
    no_clean: Annotated[bool, typer.Option("--no-clean", help="Do not write the frames without damage.")] = False,
    threads: o.Threads = None,
    overwrite: o.Overwrite = None,
    quiet: o.Quiet = False,
) -> None:  # fmt: skip
    """Write a dataset for training: frames, masks, annotations in COCO format and a card, in three splits."""
    from reelmend.simulate.recipe import load_recipe, recorded_seed

    name = recipe or ("training-stills" if window == 1 else "training-window")
    number = seed if seed is not None else recorded_seed(name) or 0
    with research("simulate dataset"), _progress(quiet) as update:
        from reelmend.simulate.dataset.write import write_dataset

        result = write_dataset(
            clean, out, count, load_recipe(name), number, window=window, size=size,
            splits=_shares(splits), bits=bits, photographs=photographs, shrink=shrink, clean=not no_clean,
            jobs=_jobs(threads), overwrite=bool(overwrite), progress=lambda done, total: update(done, total, None),
        )  # fmt: skip
    if not quiet:
        split = ", ".join(f"{samples} for {part}" for part, samples in result.samples.items())
        print(f"{result.made} samples made by the recipe {name}, seed {number}; there are {split}.")
        print("\n".join([f"dataset     {result.out}", *(f"note        {note}" for note in result.notes)]))


def _shares(text: str) -> tuple[float, float, float]:
    from reelmend.errors import UsageError

    try:
        first, second, third = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--splits {text} is not three shares; write them as 0.8,0.1,0.1") from None
    return first, second, third


def scans(places: list[Path]) -> list[Path]:
    """Files of annotations, with those in folders. Raises UsageError for a folder that holds none."""
    from reelmend.errors import UsageError

    found: list[Path] = []
    for place in places:
        inside = sorted(place.glob("*.json")) if place.is_dir() else [place]
        if not inside:
            raise UsageError(f"{place} holds no annotations; give scan_*.json files or a folder of them")
        found += inside
    return found


def summed_up(result: Result, recipe: str, seed: int, seconds: float) -> list[str]:
    """What was made, a line each."""
    rate = result.frames / seconds if seconds > 0 else 0.0
    frames = f"{result.frames} frame{'s' * (result.frames != 1)} of {result.gauge} film"
    lines = [
        f"{frames} by the recipe {recipe}, seed {seed}: {result.defects} defects, "
        f"{result.damaged_fraction * 100:.3g} % of the picture damaged.",
        f"{seconds:.1f} s, {rate:.1f} frames a second.",
    ]
    for name in ("output", "masks", "annotations", "recipe", "reference"):
        place = getattr(result, name)
        if place is not None:
            lines.append(f"{name:<11} {place}")
    return lines + [f"note        {note}" for note in result.notes]


def _jobs(threads: int | None) -> int:
    return threads or os.cpu_count() or 1


@contextmanager
def _progress(quiet: bool) -> Iterator[Any]:
    """What `simulate` calls after each frame, shown as for a restoration."""
    from reelmend.cli.progress import Display
    from reelmend.pipeline import Progress

    begun = time.perf_counter()
    with Display(quiet) as display:

        def update(done: int, total: int | None, damaged: float | None) -> None:
            spent = max(time.perf_counter() - begun, 1e-6)
            display.update(Progress(done, total, done / spent, damaged or 0.0, 0))

        yield update
