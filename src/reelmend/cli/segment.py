"""`reelmend segment`: a picture into regions, by the attention of a diffusion model. Needs `[segment]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from reelmend.cli.research import research

PANEL = "What the model is shown"

Model = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME|PATH", show_default=False, help="A model of the package, a weight card, a "
                 "folder of diffusers or a hub name. Unset: the package's."),
]  # fmt: skip
Affinity = Annotated[
    str, typer.Option("--affinity", metavar="attention|features|combined", help="What is cut: the walk itself, how "
                      "alike nodes look around, or both.")
]  # fmt: skip
Similarity = Annotated[str, typer.Option("--similarity", metavar="cosine|kl|hidden", help="How likeness is measured.")]
Walk = Annotated[int, typer.Option("--walk", metavar="K", min=1, max=64, help="Steps of the walk.")]
Stop = Annotated[
    str, typer.Option("--stop", metavar="constant|dynamic", help="Whether cutting ends at --threshold or where the "
                      "picture's own cuts say.")
]  # fmt: skip
Threshold = Annotated[
    float, typer.Option("--threshold", metavar="T", min=0.0, max=2.0, help="NCut above which nothing is cut, for the "
                        "constant stop.")
]  # fmt: skip
Levels = Annotated[
    str | None,
    typer.Option("--levels", metavar="all|N", show_default=False, help="Write the label maps of all levels of the "
                 "hierarchy too, or that of level N instead of the partition's."),
]  # fmt: skip
Smallest = Annotated[
    float, typer.Option("--smallest", metavar="SHARE", min=0.0, max=0.5, help="Smallest region, share of the picture.")
]
Pixels = Annotated[
    str, typer.Option("--pixels", metavar="attention|nodes", help="Pixels go to the region that looks there most, or "
                      "to that of the nearest nodes.")
]  # fmt: skip
Refine = Annotated[bool, typer.Option("--refine", help="Let regions follow the edges of the picture.")]
Connected = Annotated[bool, typer.Option("--connected", help="Make every connected part a region of its own.")]
Size = Annotated[
    int | None,
    typer.Option("--size", metavar="PX", min=16, max=2048, show_default=False, rich_help_panel=PANEL,
                 help="The picture is shown at the area of a square of that side. Unset: the model's own."),
]  # fmt: skip
Noise = Annotated[
    float, typer.Option("--noise", metavar="N", min=0.001, max=50.0, rich_help_panel=PANEL,
                        help="Standard deviation of the noise, in that of pictures.")
]  # fmt: skip
Timestep = Annotated[
    int | None,
    typer.Option("--timestep", metavar="T", min=0, show_default=False, rich_help_panel=PANEL,
                 help="The noise by its timestep instead, for models of diffusers."),
]  # fmt: skip
Inversion = Annotated[
    bool, typer.Option("--inversion", rich_help_panel=PANEL, help="Noise from DDIM inversion instead of fresh noise.")
]
Passes = Annotated[
    int, typer.Option("--passes", metavar="N", min=1, max=64, rich_help_panel=PANEL, help="Times that fresh noise is "
                      "drawn; the walks are averaged.")
]  # fmt: skip
Excess = Annotated[
    bool | None,
    typer.Option("--excess/--no-excess", show_default=False, help="Walk by what patches look at more than others do. "
                 "Unset: for the package's own models, whose attention is spread wide."),
]  # fmt: skip
Layers = Annotated[
    list[str] | None,
    typer.Option("--layer", metavar="NAME", show_default=False, rich_help_panel=PANEL, help="A layer of "
                 "self-attention, or how several begin; several times for several. Unset: all."),
]  # fmt: skip


def run(image: Path, out: Path, levels: str | None, as_json: bool, overwrite: bool | None, **given: Any) -> None:
    """Segment a picture and write its files; prints the regions."""
    from reelmend.errors import UsageError

    if out.suffix.lower() != ".png":
        raise UsageError(f"{out}: label maps are written as .png.")
    wanted = _level(levels)
    with research("segment"):
        from reelmend.segment.files import Places, read_picture

        places = Places(out)
        for path in (places.labels, places.indexed, places.overlay, places.tree):
            if path.exists() and not overwrite:
                raise UsageError(f"{path} exists already; --overwrite replaces it")
        picture = read_picture(image)
        if not out.parent.is_dir():
            raise UsageError(f"{out.parent} is no folder; make it first.")
        _segment(picture, image, places, wanted, as_json, given)


def _level(levels: str | None) -> int | str | None:
    from reelmend.errors import UsageError

    if levels is None or levels == "all":
        return levels
    if not levels.isdecimal():
        raise UsageError(f"--levels {levels}: give all, or the number of a level.")
    return int(levels)


def _segment(
    picture: Any, image: Path, places: Any, wanted: int | str | None, as_json: bool, given: dict[str, Any]
) -> None:
    import json

    from reelmend.segment import Options, Showing, load_model, segment
    from reelmend.segment import files as f
    from reelmend.segment.run import as_picture

    showing = Showing(
        noise=given["noise"], timestep=given["timestep"], inversion=given["inversion"], passes=given["passes"],
        layers=tuple(given["layers"]) if given["layers"] else None, seed=given["seed"],
    )  # fmt: skip
    options = Options(
        affinity=given["affinity"], similarity=given["similarity"], walk=given["walk"], stop=given["stop"],
        threshold=given["threshold"], least=given["smallest"], side=given["size"], refine=given["refine"],
        pixels=given["pixels"], connected=given["connected"], excess=given["excess"],
        level=wanted if isinstance(wanted, int) else None, showing=showing,
    )  # fmt: skip
    tree = segment(picture, load_model(given["model"], given["device"]), options)
    assert tree.labels is not None
    colours = as_picture(picture)
    f.write_labels(places.labels, tree.labels)
    f.write_indexed(places.indexed, tree.labels)
    f.write_overlay(places.overlay, colours, tree.labels)
    f.write_tree(places.tree, tree, {"picture": image.name})
    if wanted == "all":
        for level, labels in enumerate(tree.level_labels):
            f.write_labels(places.level(level).labels, labels)
            f.write_indexed(places.level(level).indexed, labels)
    if as_json:
        print(json.dumps(f.as_json(tree), indent=1))
        return
    for line in lines(tree):
        print(line)
    print(f"labels      {places.labels}\noverlay     {places.overlay}\nhierarchy   {places.tree}")


def lines(tree: Any) -> list[str]:
    """What was found, a line a region."""
    import numpy as np

    counts = np.bincount(tree.labels.ravel())
    total = tree.labels.size
    found = [f"{len(counts)} region{'s' * (len(counts) != 1)}, cut up to an NCut of {tree.threshold:.3f}, "
             f"{tree.grid[0]} x {tree.grid[1]} nodes"]  # fmt: skip
    return found + [f"  {label:>3}  {100 * count / total:5.1f} %" for label, count in enumerate(counts)]
