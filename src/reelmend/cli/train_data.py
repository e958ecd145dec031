"""What networks learn from: clean footage as windows, holes and scenes, and what a detector takes wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reelmend.cli import options as o
from reelmend.cli.research import research
from reelmend.errors import UsageError


def pack(
    footage: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOOTAGE...", help="Clean films and photographs, or folders of them.", show_default=False
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.npy", help="Where the windows go.")
    ] = Path("windows.npy"),
    each: Annotated[int, typer.Option("--each", metavar="N", min=1, help="Windows of every file.")] = 400,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of what is cut out, and how large.")] = 0,
    overwrite: o.Overwrite = None,
) -> None:  # fmt: skip
    """Cut windows of five motion-compensated frames out of clean footage, to train on."""
    _check(output, "windows", overwrite)
    with research("train pack"):
        from reelmend.simulate.recipe import load_recipe
        from reelmend.train.windows import sources, write_pack

        files = sources(footage)
        facts = write_pack(files, output, load_recipe("training-window"), seed=seed, each=each, say=print)
    print(f"windows     {sum(facts.windows.values())} of {len(facts.windows)} files\noutput      {output}")


def holes(
    footage: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOOTAGE...", help="Clean films and photographs, or folders of them.", show_default=False
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.npy", help="Where the holes go.")
    ] = Path("holes.npy"),
    each: Annotated[
        int, typer.Option("--each", metavar="N", min=10, help="Holes of every film; a tenth of it of a photograph.")
    ] = 2000,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of damage, sizes and places.")] = 0,
    overwrite: o.Overwrite = None,
) -> None:  # fmt: skip
    """Damage clean footage and fill the holes from its neighbours, to train repair on."""
    _check(output, "holes", overwrite)
    with research("train holes"):
        from reelmend.simulate.recipe import load_recipe
        from reelmend.train.holes import write_holes
        from reelmend.train.windows import sources

        counts = write_holes(sources(footage), output, load_recipe("training-window"), seed=seed, each=each, say=print)
    print(f"holes       {sum(counts.values())} of {len(counts)} files\noutput      {output}")


def scenes(
    photographs: Annotated[
        list[Path],
        typer.Argument(metavar="PHOTOGRAPHS...", help="Photographs, or folders of them.", show_default=False),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.npy", help="Where the pictures go.")
    ] = Path("scenes.npy"),
    each: Annotated[int, typer.Option("--each", metavar="N", min=1, help="Pictures of every photograph.")] = 24,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of sizes and places.")] = 0,
    overwrite: o.Overwrite = None,
) -> None:  # fmt: skip
    """Shrink photographs to small pictures in colour, to train a diffusion model on that segments."""
    _check(output, "pictures", overwrite)
    with research("train scenes"):
        from reelmend.train.scenes import write_scenes
        from reelmend.train.windows import sources

        counts = write_scenes(sources(photographs), output, seed=seed, each=each, say=print)
    print(f"pictures    {sum(counts.values())} of {len(counts)} files\noutput      {output}")


def mine(
    detector: Annotated[
        str, typer.Argument(metavar="DETECTOR", help="A window detector, or the path of its weight card.",
                            show_default=False)
    ],
    packs: Annotated[
        list[Path], typer.Option("--pack", metavar="FILE.npy", help="Windows of clean footage.", show_default=False)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.npy", help="Where the windows go.")
    ] = Path("negatives.npy"),
    most: Annotated[int, typer.Option("--most", metavar="N", min=1, help="Windows at most.")] = 500,
    threads: o.Threads = None,
    overwrite: o.Overwrite = None,
) -> None:  # fmt: skip
    """Keep the windows of clean footage on which a detector fires most, as hard negatives to train on."""
    _check(output, "windows", overwrite)
    with research("train mine"):
        from reelmend.runtime import load_network
        from reelmend.train.negatives import mine

        count = mine(load_network(detector, threads=threads or 2), packs, output, most)
    print(f"windows     {count}\noutput      {output}")


def _check(output: Path, what: str, overwrite: bool | None) -> None:
    """Raise UsageError where the output is no `.npy` file, or is there already."""
    if output.suffix != ".npy":
        raise UsageError(f"{output}: {what} are written as one .npy file")
    if output.exists() and not overwrite:
        raise UsageError(f"{output} exists already; --overwrite replaces it")
