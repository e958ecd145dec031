"""Every network, alike: the same data, the same steps, one frame and a window, from scratch and pretrained.

    python -m benchmarks.networks --pack FILM.npy --photos PHOTOS.npy --validation HELD_BACK.npy [--steps 1000]
        [--device cuda] [--only NAME ...] [--list]

Trains what is not trained yet and writes weight cards to `OUT/networks/cards`; `python -m benchmarks.detection` takes
their paths. A run that was stopped goes on. The pretraining ladder is denoising, then photographs, then film, each for
as many steps as the others have in all: `...-ladder` has had three stages, `...-denoised` two, and `...-photos` two.
`...-twice` and `...-thrice` had as many steps as those, on film alone. `...-loss` are trained with one half of the
loss, or with the pixel loss focused on what is wrong (Lin et al. 2017). `unet-window-of-3-long` is the plain network
that everything must be far above: as many pixels as 49,000 crops of 256 x 256 have, forty minutes of two cores.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reelmend.nets.sizes import FAST
from reelmend.train.detector import train
from reelmend.train.publish import publish_run, sources_of
from reelmend.train.recipe import Data, Loss, Net, Optimiser, TrainRecipe

WIDTH, DEPTH = 16, 3
"""Of the U-Nets: a quarter of the papers' width, so that they train on processors too."""

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "unet": ("unet", {"width": WIDTH, "depth": DEPTH}),
    "attention-unet": ("attention-unet", {"width": WIDTH, "depth": DEPTH}),
    "r-unet": ("r-unet", {"width": WIDTH, "depth": DEPTH}),
    "r2-unet": ("r2-unet", {"width": WIDTH, "depth": DEPTH}),
    "r2att-unet": ("r2att-unet", {"width": WIDTH, "depth": DEPTH}),
    "compact": ("compact", FAST),
    "segformer": ("segformer", {}),
}


@dataclass(frozen=True)
class Entry:
    """One training."""

    name: str
    net: Net
    stage: str = "detect"
    after: str = ""
    """Name of the entry whose weights it begins with."""
    photos: bool = False
    """Learns from photographs, not from film."""
    loss: Loss = field(default_factory=Loss)
    rounds: int = 1
    """How many times the steps it gets."""
    shown: bool = True
    """Whether it is a detector for the table, not only a stage on the way."""


def entries() -> list[Entry]:
    """All trainings, in an order in which every one comes after what it begins with."""
    found = []
    for name, (net, sizes) in FAMILIES.items():
        found.append(Entry(f"{name}-still", Net(name=net, frames=1, features="still", sizes=sizes)))
        window = Net(name=net, frames=5, features="ranked", sizes=sizes)
        found.append(Entry(f"{name}-window", window))
        if name in ("unet", "compact"):
            found += [
                Entry(f"{name}-denoise", window, stage="denoise", shown=False),
                Entry(f"{name}-photographs", window, photos=True),
                Entry(f"{name}-denoised", window, after=f"{name}-denoise"),
                Entry(f"{name}-photos", window, after=f"{name}-photographs"),
                Entry(f"{name}-denoised-photographs", window, after=f"{name}-denoise", photos=True, shown=False),
                Entry(f"{name}-ladder", window, after=f"{name}-denoised-photographs"),
                Entry(f"{name}-window-twice", window, rounds=2),
                Entry(f"{name}-window-thrice", window, rounds=3),
            ]
    compact = Net(name="compact", frames=5, features="ranked", sizes=FAST)
    losses = {"pixel": Loss(region=0), "region": Loss(pixel=0), "focal": Loss(focus=2)}
    found += [Entry(f"compact-window-{kind}-loss", compact, loss=loss) for kind, loss in losses.items()]
    three = Net(name="unet", frames=3, features="residuals", sizes={"width": WIDTH, "depth": DEPTH})
    return [*found, Entry("unet-window-of-3", three), Entry("unet-window-of-3-long", three, rounds=18)]


def recipe_of(entry: Entry, steps: int, crops: int, runs: Path) -> TrainRecipe:
    """The recipe of an entry; only the network and the stage differ between them."""
    return TrainRecipe(
        name=entry.name,
        stage=entry.stage,  # type: ignore[arg-type]
        net=entry.net,
        data=Data(
            damage="training-stills" if entry.net.frames == 1 else "training-window", crop=192, cached=crops
        ),
        loss=entry.loss,
        optimiser=Optimiser(rate=2e-3, average=0.99, warmup=50),
        steps=steps * entry.rounds,
        batch=16,
        validate_every=max(1, steps * entry.rounds // 4),
        validation=8,
        start_from=str((runs / entry.after / f"{entry.after}.safetensors").absolute()) if entry.after else "",
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--validation", type=Path)
    parser.add_argument("--sources", type=Path, default=Path("tools/training_sources.toml"))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--crops", type=int, default=6000, help="crops kept; 0: every one is damaged afresh")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--out", type=Path, default=Path("build/bench/networks"))
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    wanted = [entry for entry in entries() if not options.only or entry.name in options.only]
    if options.list:
        print("\n".join(entry.name for entry in wanted))
        return
    for entry in wanted:
        recipe = recipe_of(entry, options.steps, options.crops, options.out / "runs")
        run, card = options.out / "runs" / entry.name, options.out / "cards" / f"{entry.name}.json"
        packs = [options.photos] if entry.photos else [options.pack]
        if card.exists() or (not entry.shown and (run / f"{entry.name}.safetensors").exists()):
            continue
        kept = options.out / "kept" / f"{packs[0].stem}-{entry.net.frames}"
        print(entry.name, flush=True)
        train(recipe, packs, [options.validation], run, device=options.device, kept=kept)
        if entry.shown:
            sources = sources_of([*packs, options.validation], options.sources)
            publish_run(recipe, run, [options.validation], sources, card.parent, entry.name, batches=20, kept=kept)


if __name__ == "__main__":
    main()
