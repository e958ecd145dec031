"""`reelmend train`: clean footage into windows, windows into a detector, that into a network. Needs `[train]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reelmend.cli import train_data
from reelmend.cli.research import research
from reelmend.errors import UsageError

app = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Train networks from clean footage and simulated damage. Detectors: `pack` makes windows, `detector` trains "
    "on them, `mine` finds what it takes wrongly, `publish` makes a network of the result. Repairers: `holes`, "
    "`repair`, `diffusion`.",
)

for _verb in (train_data.pack, train_data.holes, train_data.scenes, train_data.mine):
    app.command()(_verb)


@app.command()
def detector(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE", help="A training recipe of the package by name, or a TOML file.", show_default=False
        ),
    ],
    packs: Annotated[
        list[Path],
        typer.Option("--pack", metavar="FILE.npy", help="Windows to train on; several times for several files.",
                     show_default=False),
    ],
    validation: Annotated[
        list[Path],
        typer.Option("--validation", metavar="FILE.npy", help="Windows of other footage, to watch the training with.",
                     show_default=False),
    ],
    negatives: Annotated[
        list[Path] | None,
        typer.Option("--negatives", metavar="FILE.npy", help="Windows that stay undamaged, as `mine` writes them; the "
                     "recipe says what share of the crops they are.", show_default=False),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where weights, log, pictures and the "
                           "checkpoint go; a run that was stopped goes on from there.")
    ] = Path("training"),
    start: Annotated[
        Path | None,
        typer.Option("--start", metavar="FILE.safetensors", help="Weights of the earlier stage that the recipe names.",
                     show_default=False),
    ] = None,
    device: Annotated[str, typer.Option("--device", metavar="cpu|cuda", help="Where to train.")] = "cpu",
    until: Annotated[
        int | None, typer.Option("--until", metavar="STEP", min=1, help="Stop there, to go on later.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", metavar="N", min=0.0, help="Stop at a validation after as many.")
    ] = None,
) -> None:  # fmt: skip
    """Train a detector, or go on with its training."""
    with research("train detector"):
        from reelmend.train.detector import train
        from reelmend.train.recipe import load_recipe, recipe_path

        path = recipe_path(recipe)
        weights = train(
            load_recipe(path), packs, validation, output, device=device, near=path.parent, start=start,
            negatives=negatives or (), until=until, minutes=minutes,
        )  # fmt: skip
    print(f"weights     {weights}")


@app.command()
def repair(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE", help="A training recipe of the package by name, or a TOML file.", show_default=False
        ),
    ],
    packs: Annotated[
        list[Path],
        typer.Option("--pack", metavar="FILE.npy", help="Holes to train on; several times for several files.",
                     show_default=False),
    ],
    validation: Annotated[
        list[Path],
        typer.Option("--validation", metavar="FILE.npy", help="Holes of other footage, to watch the training with.",
                     show_default=False),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where weights, log, pictures and the "
                           "checkpoint go; a run that was stopped goes on from there.")
    ] = Path("training"),
    start: Annotated[
        Path | None,
        typer.Option("--start", metavar="FILE.safetensors", help="Weights to begin with: an earlier run's, or an "
                     "earlier stage's (diffir).", show_default=False),
    ] = None,
    device: Annotated[str, typer.Option("--device", metavar="cpu|cuda", help="Where to train.")] = "cpu",
    until: Annotated[
        int | None, typer.Option("--until", metavar="STEP", min=1, help="Stop there, to go on later.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", metavar="N", min=0.0, help="Stop at a validation after as many.")
    ] = None,
) -> None:  # fmt: skip
    """Train a network that repairs in one pass, or go on with its training."""
    with research("train repair"):
        from reelmend.train.recipe import load_repair_recipe, recipe_path
        from reelmend.train.repair import train_repair

        path = recipe_path(recipe)
        weights = train_repair(
            load_repair_recipe(path), packs, validation, output, device=device, start=start, until=until,
            minutes=minutes,
        )  # fmt: skip
    print(f"weights     {weights}")


@app.command()
def diffusion(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE", help="A training recipe of the package by name, or a TOML file.", show_default=False
        ),
    ],
    packs: Annotated[
        list[Path],
        typer.Option("--pack", metavar="FILE.npy", help="Holes or scenes to train on; several times for several files.",
                     show_default=False),
    ],
    validation: Annotated[
        list[Path],
        typer.Option("--validation", metavar="FILE.npy", help="The same of other footage, to watch the training with.",
                     show_default=False),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where weights, log, pictures and the "
                           "checkpoint go; a run that was stopped goes on from there.")
    ] = Path("training"),
    start: Annotated[
        Path | None,
        typer.Option("--start", metavar="FILE.safetensors", help="Weights of an earlier run to begin with; not for "
                     "models of film itself.", show_default=False),
    ] = None,
    device: Annotated[str, typer.Option("--device", metavar="cpu|cuda", help="Where to train.")] = "cpu",
    until: Annotated[
        int | None, typer.Option("--until", metavar="STEP", min=1, help="Stop there, to go on later.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", metavar="N", min=0.0, help="Stop at a validation after as many.")
    ] = None,
) -> None:  # fmt: skip
    """Train a diffusion model, one that repairs biased by neighbours or one of film itself, or go on with that."""
    with research("train diffusion"):
        from reelmend.train.diffusion import train_diffusion
        from reelmend.train.prior import train_prior
        from reelmend.train.recipe import kind_of, load_diffusion_recipe, load_prior_recipe, recipe_path

        path = recipe_path(recipe)
        if kind_of(path) == "prior":
            if start is not None:
                raise UsageError(f"{recipe} begins from nothing; it has no use for {start}")
            weights = train_prior(
                load_prior_recipe(path), packs, validation, output, device=device, until=until, minutes=minutes
            )
        else:
            weights = train_diffusion(
                load_diffusion_recipe(path), packs, validation, output, device=device, start=start, until=until,
                minutes=minutes,
            )  # fmt: skip
    print(f"weights     {weights}")


@app.command()
def quantise(
    card: Annotated[
        Path, typer.Argument(metavar="CARD.json", help="The weight card of a detector.", show_default=False)
    ],
    packs: Annotated[
        list[Path], typer.Option("--pack", metavar="FILE.npy", help="Windows of other footage than it learned from.",
                                 show_default=False)
    ],
    batches: Annotated[
        int, typer.Option("--batches", metavar="N", min=1, help="Batches of eight crops to measure activations on, and "
                          "as many to measure the cost on.")
    ] = 20,
    kept: Annotated[
        Path | None, typer.Option("--kept", metavar="FOLDER", help="Where drawn defects are kept.",
                                  show_default="beside the card")
    ] = None,
) -> None:  # fmt: skip
    """Give a published detector a graph in 8-bit integers, over the same weights: twice as fast on most processors."""
    with research("train quantise"):
        from reelmend.train.quantise import quantise_detector

        made, cost = quantise_detector(card, packs, batches=batches, kept=kept)
    print(f"graph       {card.parent / made.int8}")
    for name, counts in (("f32", cost.f32), ("int8", cost.int8)):
        figures = (f"{key} {value:.4f}" for key, value in counts.figures().items() if value is not None)
        print(f"{name:<11} {', '.join(figures)}")


@app.command()
def publish(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="The recipe that was trained.", show_default=False)
    ],
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of the run.", show_default=False)],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the network is called.", show_default=False)],
    packs: Annotated[
        list[Path],
        typer.Option("--pack", metavar="FILE.npy", help="What it was trained on.", show_default=False),
    ],
    validation: Annotated[
        list[Path],
        typer.Option("--validation", metavar="FILE.npy", help="Windows of other footage, to measure on.",
                     show_default=False),
    ],
    sources: Annotated[
        Path, typer.Option("--sources", metavar="FILE.toml", help="The terms of all footage that may be used.",
                           show_default=False)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where weights, graph and card go.")
    ] = Path("weights"),
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What else the card should say.")] = "",
) -> None:  # fmt: skip
    """Write a trained network as weights, graph and card, with its calibration and operating points."""
    with research("train publish"):
        from reelmend.train.publish import publish_repair_run, publish_run, sources_of
        from reelmend.train.recipe import kind_of, load_recipe, load_repairer_recipe, recipe_path

        used = sources_of([*packs, *validation], sources)
        path = recipe_path(recipe)
        print(f"card        {output / f'{name}.json'}")
        if kind_of(path) != "detector":
            repairer = publish_repair_run(load_repairer_recipe(path), run, validation, used, output, name, note=note)
            print("scores      " + ", ".join(f"{key} {value}" for key, value in repairer.scores.items()))
            return
        card = publish_run(load_recipe(path), run, validation, used, output, name, note=note)
    points = card.operating_points
    print(f"strengths   gentle {points.gentle}, standard {points.standard}, strong {points.strong}")
