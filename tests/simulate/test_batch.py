"""The batched simulator keeps its promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import reelmend.simulate.batch.simulator as module
from reelmend.simulate.batch import Batch, Simulator
from reelmend.simulate.damage import TRUTH_ALPHA
from reelmend.simulate.recipe import Entry, Grain, Lookalike, Picture, Recipe

KINDS = {
    "dust": Entry(times=(2, 2), halo=(0.2, 0.4)),
    "scratch": Entry(times=(60, 60), tints=("green", "yellow")),
    "water spot": Entry(per_frame=(3, 3)),
    "line scratch": Entry(per_frame=(0.3, 0.3), frames=(20, 20)),
    "gate hair": Entry(per_frame=(0.1, 0.1), frames=(20, 20), wobble=(20, 20)),
}
RECIPE = Recipe(gauge=("16mm",), scan_width=(700, 900), amount=(1, 1), damage=KINDS)
ALL = RECIPE.model_copy(
    update={
        "grain": Grain(),
        "picture": Picture(flicker=(0, 0.05), weave=(0, 30), fading=(0, 0.5), blur=(0, 0.8), compression=(0, 0.5)),
        "lookalikes": {"stars": Lookalike(chance=0.5), "titles": Lookalike(chance=0.5)},
    }
)


def made(recipe: Recipe, seed: int = 1, **options: int) -> Simulator:
    return Simulator(recipe, seed, **{"members": 12, "steps": 2, "frames": 3, **options})


def clips(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(5)) * 0.6 + 0.2


@pytest.fixture(scope="module")
def bare() -> Simulator:
    return made(RECIPE, frames=5)


@pytest.fixture(scope="module")
def full() -> Simulator:
    return made(ALL)


@pytest.mark.parametrize(
    "shape", [(2, 1, 1, 64, 64), (3, 3, 3, 57, 91), (1, 5, 1, 33, 200), (2, 3, 3, 128, 40), (0, 3, 1, 64, 64)]
)
def test_shapes_types_and_ranges(bare: Simulator, shape: tuple[int, ...]) -> None:
    batch = bare.batch(clips(*shape), number=3)
    single = (*shape[:2], 1, *shape[3:])
    assert batch.damaged.shape == batch.clean.shape == shape
    assert batch.mask.shape == batch.alpha.shape == batch.kind.shape == single
    assert batch.damaged.dtype == batch.clean.dtype == batch.alpha.dtype == torch.float32
    assert (batch.mask.dtype, batch.kind.dtype) == (torch.bool, torch.uint8)
    for part in (batch.damaged, batch.clean, batch.alpha):
        assert bool(((part >= 0) & (part <= 1)).all())


@pytest.mark.parametrize("channels", [1, 3])
def test_truth_and_picture_agree(bare: Simulator, channels: int) -> None:
    given = clips(4, 3, channels, 160, 160)
    kept = given.clone()
    batch = bare.batch(given, number=0)
    assert torch.equal(given, kept)
    assert torch.equal(batch.clean, given)
    assert torch.equal(batch.mask, batch.alpha > TRUTH_ALPHA)
    assert 0.002 < float(batch.mask.float().mean()) < 0.5
    untouched = (batch.alpha == 0).expand_as(given)
    assert torch.equal(batch.damaged[untouched], batch.clean[untouched])
    # A pixel whose light is partly lost lies between what it was and black or white.
    changed = (batch.damaged - batch.clean).abs()
    assert bool((changed <= batch.alpha + 1e-5).all())
    assert float(changed[batch.mask.expand_as(changed)].mean()) > 0.05
    assert torch.equal(batch.kind > 0, batch.alpha > 0)
    shown = {bare.kinds[number - 1] for number in batch.kind.unique().tolist() if number}
    assert shown <= set(KINDS) and {"dust", "line scratch"} <= shown


def test_a_gray_film_shows_coloured_damage_too(bare: Simulator) -> None:
    gray, colour = (bare.batch(clips(2, 3, channels, 160, 160), number=4) for channels in (1, 3))
    # The same places; weaker where a colour counts for little of the luma.
    assert bool((gray.alpha <= colour.alpha + 1e-5).all())
    assert float(gray.alpha.mean()) > 0.5 * float(colour.alpha.mean()) > 0
    neutral = colour.kind != bare.kinds.index("scratch") + 1
    assert torch.allclose(gray.alpha[neutral & (gray.kind == colour.kind)].mean(), gray.alpha[neutral].mean(), rtol=0.2)


def test_coloured_scratches_take_colours_apart() -> None:
    simulator = made(
        RECIPE.model_copy(update={"damage": {"scratch": KINDS["scratch"].model_copy(update={"bright": 1})}})
    )
    gray = torch.full((8, 1, 3, 128, 128), 0.3)
    batch = simulator.batch(gray)
    gone = (batch.damaged - batch.clean)[batch.mask.expand(-1, -1, 3, -1, -1)].view(-1)
    moved = (batch.damaged - batch.clean).permute(2, 0, 1, 3, 4)[:, batch.mask[:, :, 0]]
    assert gone.numel() > 100
    # Green and yellow inks both let green pass and hold blue back.
    assert float(moved[1].mean()) > 3 * float(moved[2].mean()) > 0


def same(one: Batch, other: Batch) -> bool:
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in one.__dataclass_fields__)


def test_same_seed_and_number_give_the_same_batch(full: Simulator) -> None:
    given = clips(3, 3, 1, 96, 96)
    first, second, again = full.batch(given, number=0), full.batch(given), full.batch(given, number=0)
    assert same(first, again)
    assert not torch.equal(first.mask, second.mask)
    fresh = made(ALL)
    # Whatever was asked before.
    assert same(fresh.batch(given, number=1), second)
    assert same(fresh.batch(given, number=0), first)
    assert not torch.equal(made(ALL, seed=2).batch(given, number=0).mask, first.mask)


def test_how_many_samples_go_together_changes_nothing(bare: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    grained = made(RECIPE.model_copy(update={"grain": Grain()}))
    given = clips(5, 3, 3, 80, 72)
    monkeypatch.setattr(module, "IN_CACHE", 1)
    alone = grained.batch(given, number=2)
    monkeypatch.setattr(module, "IN_CACHE", 1 << 40)
    together = grained.batch(given, number=2)
    assert same(alone, together)


def test_everything_at_once(full: Simulator) -> None:
    given = clips(6, 3, 3, 96, 104)
    batch = full.batch(given, number=8)
    assert bool(torch.isfinite(batch.damaged).all())
    assert not torch.allclose(batch.clean, given, atol=0.02)
    # After blur and compression the two pictures still agree away from the damage.
    blocks = torch.nn.functional.max_pool2d(batch.alpha.view(18, 1, 96, 104), 25, 1, 12).view_as(batch.alpha)
    far = (blocks == 0).expand_as(given)
    assert int(far.sum()) > 1000
    assert torch.allclose(batch.damaged[far], batch.clean[far], atol=1e-5)


def test_nothing_in_the_recipe_does_nothing() -> None:
    given = clips(2, 3, 1, 64, 64)
    batch = made(Recipe()).batch(given)
    assert torch.equal(batch.damaged, given)
    assert not bool(batch.mask.any()) and not bool(batch.kind.any())


def test_lives_last() -> None:
    damage = {"dust": KINDS["dust"], "line scratch": KINDS["line scratch"]}
    simulator = made(RECIPE.model_copy(update={"damage": damage}))
    batch = simulator.batch(clips(8, 3, 1, 160, 160))
    codes = [simulator.kinds.index(name) + 1 for name in damage]
    stay = []
    for code in codes:
        mask = (batch.kind == code) & batch.mask
        both = (mask[:, 0] & mask[:, 1]).sum() / mask[:, 0].sum()
        stay.append(float(both))
    # Dust is gone on the next frame; a scratch goes on where it was, drifting by a pixel or so.
    assert stay[0] < 0.1
    assert stay[1] > 0.3


def steps_of(masks: torch.Tensor) -> list[int]:
    """Columns by which what is in the middle frame of `(b, 5, h, w)` moves from frame to frame."""
    shifts = range(-25, 26)
    found = []
    for sample in masks.float().mean(dim=2):
        for before, after in ((1, 2), (2, 3)):
            likeness = [float((sample[before].roll(shift) * sample[after]).sum()) for shift in shifts]
            if max(likeness) > 0:
                found.append(abs(shifts[int(np.argmax(likeness))]))
    return found


def test_compensation_carries_what_lasts_from_frame_to_frame() -> None:
    lines = {"line scratch": Entry(per_frame=(0.03, 0.03), opacity=(1, 1), frames=(50, 50))}
    masks = []
    # Next to nothing instead of none: so that both draw the same damage.
    for picture in (Picture(pan=(1e-9, 1e-9)), Picture(pan=(6, 6))):
        recipe = Recipe(gauge=("16mm",), scan_width=(700, 900), amount=(1, 1), damage=lines, picture=picture)
        batch = made(recipe, frames=5).batch(torch.full((96, 5, 1, 96, 96), 0.5), number=1)
        masks.append(batch.mask[:, :, 0])
    still, panned = masks
    assert torch.equal(panned[:, 2], still[:, 2]), "the frame itself was moved"
    rests, moves = steps_of(still), steps_of(panned)
    assert len(rests) > 20
    # Lines wander by a pixel or so themselves; half of a normal distribution of 6 pixels lies beyond 4.
    assert float(np.median(rests)) < 2
    assert 2.5 < float(np.median(moves)) < 7


def test_counts_follow_the_film_that_a_window_shows() -> None:
    sparse = {"dust": Entry(times=(1, 1), opacity=(0.9, 1.0))}
    shares = []
    for width in (500, 1000):
        recipe = RECIPE.model_copy(update={"damage": sparse, "scan_width": (width, width + 1), "smallest": 0.0})
        simulator = made(recipe, steps=1, members=150)
        shares.append(np.mean([float(simulator.batch(clips(64, 1, 1, 128, 128)).alpha.mean()) for _ in range(6)]))
    # Twice the resolution shows a quarter of the film, each speck four times as large.
    assert shares[0] == pytest.approx(shares[1], rel=0.35)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((2, 3, 64, 64), "float32"),
        ((1, 3, 2, 64, 64), "c 1 or 3"),
        ((1, 6, 1, 64, 64), "5"),
        ((1, 1, 1, 600, 64), "512"),
    ],
)
def test_clips_that_do_not_fit(bare: Simulator, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        bare.batch(torch.zeros(shape))


def test_codes_are_floats(bare: Simulator) -> None:
    with pytest.raises(ValueError, match="float32"):
        bare.batch(torch.zeros(1, 1, 1, 64, 64, dtype=torch.uint8))


def test_unknown_kind() -> None:
    with pytest.raises(KeyError, match="rust"):
        made(RECIPE.model_copy(update={"damage": {"rust": Entry()}}))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_makes_the_same_damage() -> None:
    given = clips(4, 3, 3, 128, 128)
    host, device = (Simulator(ALL, 1, where, members=12, steps=2, frames=3) for where in ("cpu", "cuda"))
    one, other, again = host.batch(given, 3), device.batch(given, 3), device.batch(given, 3)
    assert same(other, again)
    assert torch.allclose(one.alpha, other.alpha.cpu(), atol=1e-4)
    assert torch.allclose(one.clean, other.clean.cpu(), atol=0.02)
