"""The commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from reelmend.cli import evaluate
from reelmend.cli import options as o
from reelmend.cli import segment as s
from reelmend.cli.simulate import app as simulate_app
from reelmend.cli.train import app as train_app

app = typer.Typer(
    name="reelmend",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(simulate_app, name="simulate")
app.add_typer(train_app, name="train")


def _version(asked: bool) -> None:
    if asked:
        from reelmend import __version__

        print(f"reelmend {__version__}")
        raise typer.Exit


app.add_typer(evaluate.app, name="evaluate")


@app.callback()
def reelmend(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where in the program an error came from.")] = False,
) -> None:
    """Find and repair dust, dirt, hair and scratches in scanned film; keep the grain, touch nothing else.

    SOURCE and OUTPUT are a film file, or a numbered image sequence as a folder, a pattern (name_%06d.dpx,
    name_####.dpx) or its first file.
    """


@app.command()
def restore(
    source: o.Source = None,
    output: o.Output = None,
    masks: o.MasksOption = None,
    report: o.Report = None,
    explain: o.Explain = None,
    edits: o.Edits = None,
    regions: o.Regions = None,
    detector: o.Detector = None,
    origins: o.Origins = None,
    repairer: o.Repairer = None,
    bias: o.Bias = None,
    protect: o.Protect = None,
    strength: o.Strength = None,
    grow: o.Grow = None,
    min_blob: o.MinBlob = None,
    max_blob: o.MaxBlob = None,
    no_grain: o.NoGrain = False,
    job: o.JobFile = None,
    start: o.Start = None,
    frames: o.Frames = None,
    gaps: o.Gaps = None,
    on_error: o.OnError = None,
    device: o.Device = None,
    threads: o.Threads = None,
    seed: o.Seed = None,
    overwrite: o.Overwrite = None,
    quiet: o.Quiet = False,
) -> None:
    """Find damage in SOURCE, repair it and write OUTPUT; everything else stays as it is, bit for bit."""
    _run("restore", locals())


@app.command()
def detect(
    source: o.Source = None,
    masks: o.MasksOut = None,
    report: o.Report = None,
    explain: o.Explain = None,
    edits: o.Edits = None,
    regions: o.Regions = None,
    detector: o.Detector = None,
    strength: o.Strength = None,
    min_blob: o.MinBlob = None,
    max_blob: o.MaxBlob = None,
    job: o.JobFile = None,
    start: o.Start = None,
    frames: o.Frames = None,
    gaps: o.Gaps = None,
    on_error: o.OnError = None,
    device: o.Device = None,
    threads: o.Threads = None,
    seed: o.Seed = None,
    overwrite: o.Overwrite = None,
    quiet: o.Quiet = False,
) -> None:
    """Find damage in SOURCE and write it to MASKS, to look at, edit and give to repair."""
    _run("detect", locals())


@app.command()
def repair(
    source: o.Source = None,
    masks: o.MasksIn = None,
    output: o.Output = None,
    report: o.Report = None,
    edits: o.Edits = None,
    edited_masks: o.EditedMasks = None,
    regions: o.Regions = None,
    origins: o.Origins = None,
    repairer: o.Repairer = None,
    bias: o.Bias = None,
    protect: o.Protect = None,
    grow: o.Grow = None,
    no_grain: o.NoGrain = False,
    job: o.JobFile = None,
    start: o.Start = None,
    frames: o.Frames = None,
    gaps: o.Gaps = None,
    on_error: o.OnError = None,
    device: o.Device = None,
    threads: o.Threads = None,
    seed: o.Seed = None,
    overwrite: o.Overwrite = None,
    quiet: o.Quiet = False,
) -> None:
    """Repair what MASKS marks in SOURCE and write OUTPUT."""
    _run("repair", locals())


@app.command()
def probe(
    source: Annotated[Path, o.reel("The reel to look at.", "SOURCE")],
    gaps: o.Gaps = None,
    json: o.Json = False,
) -> None:
    """Print what is known of SOURCE: size, rate, pixel format, colour tags, timecode, streams."""
    from reelmend.cli.probe import show

    show(source, gaps=gaps or "stop", as_json=json)


@app.command()
def compare(
    a: Annotated[Path, o.reel("The reference, usually the source.", "A")],
    b: Annotated[Path, o.reel("The reel to compare with it, usually the restoration.", "B")],
    masks: Annotated[
        Path | None, o.option("masks", metavar="PATH", help="Masks that split the figures into inside and outside.")
    ] = None,
    grow: o.Grow = None,
    json: o.Json = False,
) -> None:
    """Print PSNR and SSIM of B against A, inside and outside the grown masks, and whether outside is identical."""
    from reelmend.cli.compare import show

    show(a, b, masks=masks, grow=grow, as_json=json)


@app.command()
def models(json: o.Json = False) -> None:
    """List detectors and repairers, their weights and their measured scores."""
    from reelmend.cli.models import show

    show(as_json=json)


@app.command()
def segment(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="The picture to segment.", show_default=False)],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Where the label map goes: a file ending in .png; the "
                                        "overlay and the hierarchy go beside it.", show_default=False)],
    model: s.Model = None,
    affinity: s.Affinity = "attention",
    similarity: s.Similarity = "cosine",
    walk: s.Walk = 1,
    stop: s.Stop = "dynamic",
    threshold: s.Threshold = 0.5,
    levels: s.Levels = None,
    smallest: s.Smallest = 0.005,
    pixels: s.Pixels = "attention",
    refine: s.Refine = False,
    connected: s.Connected = False,
    size: s.Size = None,
    noise: s.Noise = 0.5,
    timestep: s.Timestep = None,
    inversion: s.Inversion = False,
    passes: s.Passes = 1,
    excess: s.Excess = None,
    layers: s.Layers = None,
    device: Annotated[str, typer.Option("--device", metavar="cpu|cuda", help="Where to compute.")] = "cpu",
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of the noise.")] = 0,
    overwrite: o.Overwrite = None,
    json: o.Json = False,
) -> None:  # fmt: skip
    """Cut IMAGE into regions by the attention of a diffusion model; write label map, overlay and hierarchy."""
    given = dict(locals())
    s.run(as_json=given.pop("json"), **given)


def _run(stage: Any, options: dict[str, Any]) -> None:
    from reelmend.cli.work import run

    run(stage, **options)


@app.command()
def gui(
    source: Annotated[
        Path | None, typer.Argument(metavar="SOURCE", help="A reel to begin with.", show_default=False)
    ] = None,
    project: Annotated[
        Path, typer.Option("--project", metavar="DIR", help="Where jobs, findings, edits and renders are kept.")
    ] = Path("reelmend-project"),
    port: Annotated[int, typer.Option("--port", metavar="N", min=1, max=65535, help="Port to serve at.")] = 8080,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Address to serve at; others than this machine's own want "
                          "a token.")
    ] = "127.0.0.1",
    root: Annotated[
        list[Path] | None,
        typer.Option("--root", metavar="DIR", help="Folder that reels may be opened from; several times for several. "
                     "Unset: the reel's, the present one, and home.", show_default=False),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option("--token", metavar="TEXT", help="What a browser must bring; unset: none here, elsewhere made up.",
                     show_default=False),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
) -> None:  # fmt: skip
    """Open the restoration desk in the browser: look, correct, render."""
    from reelmend.cli.gui import serve

    serve(source, project, root or [], host, port, token, not no_browser)
