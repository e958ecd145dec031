"""Training of repair: holes as in use, batches by their number, a run that goes on exactly, and learning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from reelmend.errors import UsageError
from reelmend.evaluate.fidelity import low_passed_error
from reelmend.nets.diffuser import DATA, Diffuser
from reelmend.nets.mixer import Mixer
from reelmend.nets.prior import DATA as PRIOR_DATA
from reelmend.nets.prior import MIDDLE, PatchPrior
from reelmend.repair import make_repairer
from reelmend.repair.learned import StillRepairer
from reelmend.repair.unified import UnifiedRepairer
from reelmend.runtime import load_repair_network
from reelmend.runtime.card import Source
from reelmend.simulate.recipe import load_recipe as load_damage
from reelmend.train.diffusion import biased, conditions, load_mean, refined, train_diffusion, with_noise
from reelmend.train.holes import PLANES, holes, write_holes
from reelmend.train.passes import without_neighbours
from reelmend.train.prior import shown as prior_shown
from reelmend.train.prior import train_prior
from reelmend.train.publish import publish_repair_run
from reelmend.train.recipe import (
    DiffusionNet,
    DiffusionRecipe,
    Optimiser,
    PriorNet,
    PriorRecipe,
    RepairLoss,
    RepairNet,
    RepairRecipe,
    kind_of,
    load_repairer_recipe,
    recipe_path,
)
from reelmend.train.repair import Holes, low_passed, open_holes, repair_loss, train_repair
from reelmend.train.windows import Dirt


def silent(text: str) -> None:
    pass


@pytest.fixture(scope="module")
def dirt(damage: Path) -> Dirt:
    return Dirt(load_damage(str(damage)), 0)


@pytest.fixture(scope="module")
def run() -> list[np.ndarray]:
    """A smooth picture that pans by two pixels a frame."""
    rng = np.random.default_rng(5)
    wide = np.kron(rng.uniform(60, 200, (16, 24)), np.ones((20, 20)))
    return [wide[:300, 2 * n : 2 * n + 400].astype(np.uint8) for n in range(6)]


@pytest.fixture(scope="module")
def holed(run: list[np.ndarray], dirt: Dirt, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("holes") / "holes.npy"
    np.save(path, np.stack(list(holes(run, dirt, np.random.default_rng(0)))))
    return path


def test_holes_are_damage_and_what_was_under_it(holed: Path) -> None:
    pack = open_holes(holed)
    truth, fill, scan, mask = (pack[:, PLANES.index(name)].astype(float) for name in ("truth", "fill", "scan", "mask"))
    inside = mask > 127
    assert 0.001 < inside.mean() < 0.6
    # Outside the mask nothing is damaged and nothing filled; inside the fill is nearer to the truth than the scan.
    np.testing.assert_array_equal(fill[~inside], scan[~inside])
    assert np.abs(truth - scan)[~inside].mean() < 1
    assert ((truth - fill)[inside] ** 2).mean() < 0.3 * ((truth - scan)[inside] ** 2).mean()


def test_grain_under_damage_follows_brightness_as_films_does(dirt: Dirt) -> None:
    """Strongest in the middle tones, faint in shadows: a model learns from it how strong to draw it where."""
    shadow, middle = 10, 140
    flat = np.full((300, 400), shadow, np.uint8)
    flat[:, 200:] = middle
    spread: dict[bool, list[float]] = {False: [], True: []}
    for seed in range(4):
        for hole in holes([flat] * 3, dirt, np.random.default_rng(seed)):
            truth = hole[PLANES.index("truth")].astype(float)
            level = float(np.median(truth))
            if min(abs(level - shadow), abs(level - middle)) < 20:
                spread[level > 75].append(float(np.median(np.abs(truth - level))))
    assert len(spread[False]) > 5 and len(spread[True]) > 5
    assert np.mean(spread[True]) > 1.5 * np.mean(spread[False]) > 0


def test_batches_are_known_by_their_number(holed: Path) -> None:
    one, other = Holes([holed], 0), Holes([holed], 0)
    first, second = one.batch(0, 3), one.batch(40, 3)
    assert all(torch.equal(a, b) for a, b in zip(other.batch(40, 3), second, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(other.batch(0, 3), first, strict=True))
    assert not torch.equal(first[0], second[0])
    truth, shown = first
    assert truth.shape == (3, 1, 64, 64) and shown.shape == (3, 8, 64, 64)
    small = one.batch(0, 3, 32)
    assert small[0].shape == (3, 1, 32, 32) and small[1].shape == (3, 8, 32, 32)
    assert (small[1][:, 2] > 0.5).flatten(1).any(dim=1).all(), "damage must be in the patch"


def test_files_that_are_no_packs_are_refused(pack: Path, damage: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no pack of holes"):
        open_holes(pack)
    with pytest.raises(UsageError, match="cannot read"):
        open_holes(tmp_path / "none.npy")
    with pytest.raises(UsageError, match="none of the footage"):
        (tmp_path / "empty.mkv").touch()
        write_holes([tmp_path / "empty.mkv"], tmp_path / "out.npy", load_damage(str(damage)), say=silent)
    assert not list(tmp_path.glob("out*"))


def test_the_low_pass_is_that_of_the_measuring_room() -> None:
    error = np.random.default_rng(0).normal(size=(40, 50)).astype(np.float32)
    ours = low_passed(torch.from_numpy(error)[None, None])[0, 0].numpy()
    theirs = low_passed_error(error, np.zeros_like(error))
    np.testing.assert_allclose(ours[8:-8, 8:-8], theirs[8:-8, 8:-8], atol=1e-5)


def test_a_new_mixer_gives_little_else_than_the_fill() -> None:
    shown = torch.rand(2, 8, 32, 48)
    with torch.no_grad():
        answer = Mixer({"width": 8, "depth": 2}).eval()(shown)
    assert answer.shape == (2, 2, 32, 48)
    assert float((answer[:, 0] - shown[:, 0]).abs().mean()) < 0.1


def test_only_what_is_in_the_mask_counts() -> None:
    truth, mask = torch.rand(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    mask[:, :, 10:14, 10:14] = 1
    answer = torch.cat([truth, torch.zeros(1, 1, 32, 32)], dim=1)
    assert float(repair_loss(answer, truth, mask, RepairLoss())) == 0
    answer[:, 0, 20:] += 1
    assert float(repair_loss(answer, truth, mask, RepairLoss())) == 0
    answer[:, 0, 11, 11] += 1
    assert float(repair_loss(answer, truth, mask, RepairLoss())) > 0


@pytest.fixture
def recipe_of_repair() -> RepairRecipe:
    return RepairRecipe(
        name="tiny", steps=6, batch=4, validate_every=3, validation=1, precision="fp32",
        net=RepairNet(sizes={"width": 8, "depth": 2}), optimiser=Optimiser(warmup=2),
    )  # fmt: skip


def test_a_stopped_run_goes_on_to_the_same_weights(recipe_of_repair: RepairRecipe, holed: Path, tmp_path: Path) -> None:
    whole = train_repair(recipe_of_repair, [holed], [holed], tmp_path / "whole", say=silent)
    train_repair(recipe_of_repair, [holed], [holed], tmp_path / "parts", until=3, say=silent)
    parts = train_repair(recipe_of_repair, [holed], [holed], tmp_path / "parts", say=silent)
    one, other = load_file(whole), load_file(parts)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_it_learns_and_what_ships_is_what_was_trained(
    recipe_of_repair: RepairRecipe, holed: Path, tmp_path: Path
) -> None:
    # A fill that is off where the neighbours are right: that is what there is to learn.
    wrong = open_holes(holed).copy()
    fill, mask = wrong[:, PLANES.index("fill")], wrong[:, PLANES.index("mask")] > 127
    fill[mask] = np.minimum(fill[mask], 215) + 40
    holed = tmp_path / "wrong.npy"
    np.save(holed, wrong)
    longer = recipe_of_repair.model_copy(update={"steps": 60, "validate_every": 20})
    train_repair(longer, [holed], [holed], tmp_path / "run", say=silent)
    with pytest.raises(UsageError, match="no weights"):
        publish_repair_run(longer, tmp_path, [holed], [], tmp_path, "tiny")
    used = [Source(name="squares", terms="CC0", address="")]
    card = publish_repair_run(longer, tmp_path / "run", [holed], used, tmp_path, "tiny")
    assert card.scores["held_back_low_passed"] > card.scores["held_back_fill_low_passed"] + 3
    shown = Holes([holed], 0, shuffled=False).batch(0, 4)[1].numpy()
    answers = [
        load_repair_network(str(tmp_path / "tiny.json"), "cpu", engine=engine).answer(shown)
        for engine in ("torch", "onnxruntime", "openvino")
    ]
    for one in answers[1:]:
        np.testing.assert_allclose(one, answers[0], atol=1e-4)


def test_recipes_say_what_they_are_of() -> None:
    assert kind_of(recipe_path("temporal-net")) == "repair"
    assert kind_of(recipe_path("temporal-diffusion")) == "diffusion"
    assert kind_of(recipe_path("film-prior")) == "prior"
    names = (
        "temporal-net",
        "fourier",
        "diffir-teacher",
        "diffir",
        "temporal-diffusion",
        "temporal-diffusion-again",
        "temporal-diffusion-gpu",
        "film-prior",
        "film-prior-gpu",
    )
    assert [load_repairer_recipe(recipe_path(name)).name for name in names] == list(names)
    assert kind_of(recipe_path("window-fast")) == "detector"


@pytest.fixture
def recipe_of_diffusion() -> DiffusionRecipe:
    sizes = {"width": 8, "multiples": [1, 2], "blocks": 1, "attention": [1], "heads": 2, "grain": True}
    return DiffusionRecipe(
        name="drawn", steps=6, batch=4, validate_every=3, validation=1, precision="fp32",
        net=DiffusionNet(sizes=sizes), optimiser=Optimiser(warmup=2),
    )  # fmt: skip


def test_a_stopped_diffusion_run_goes_on_to_the_same_weights(
    recipe_of_diffusion: DiffusionRecipe, holed: Path, tmp_path: Path
) -> None:
    whole = train_diffusion(recipe_of_diffusion, [holed], [holed], tmp_path / "whole", say=silent)
    train_diffusion(recipe_of_diffusion, [holed], [holed], tmp_path / "parts", until=3, say=silent)
    parts = train_diffusion(recipe_of_diffusion, [holed], [holed], tmp_path / "parts", say=silent)
    one, other = load_file(whole), load_file(parts)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_diffusion_run_begins_with_the_weights_of_another(
    recipe_of_diffusion: DiffusionRecipe, holed: Path, tmp_path: Path
) -> None:
    first = train_diffusion(recipe_of_diffusion, [holed], [holed], tmp_path / "first", say=silent)
    # With hardly any rate, what a run ends with is what it began with; by itself it would begin with other weights.
    still = recipe_of_diffusion.model_copy(update={"seed": 99, "optimiser": Optimiser(rate=1e-9, warmup=2)})
    again = train_diffusion(still, [holed], [holed], tmp_path / "again", start=first, say=silent)
    begun, ended = load_file(first), load_file(again)
    assert all(torch.allclose(begun[name].float(), ended[name].float(), atol=1e-3) for name in begun)
    with pytest.raises(UsageError, match="holds no weights"):
        train_diffusion(recipe_of_diffusion, [holed], [holed], tmp_path / "other", start=holed, say=silent)


def test_without_bias_nothing_of_the_neighbours_is_shown(holed: Path) -> None:
    _, shown = Holes([holed], 0, shuffled=False).batch(0, 2)
    given = biased(shown, np.array([True, False]))
    torch.testing.assert_close(given[0, :8], shown[0])
    assert (given[0, 8] == 1).all() and (given[1, 8] == 0).all()
    for plane in range(4, 8):
        torch.testing.assert_close(given[1, plane], given[1, 0])
    outside = shown[1, 2] < 0.5
    torch.testing.assert_close(given[1, 0][outside], shown[1, 1][outside], atol=0.003, rtol=0)


def test_diffusion_refines_what_the_mixer_makes_of_the_neighbours(
    recipe_of_diffusion: DiffusionRecipe, holed: Path
) -> None:
    _, shown = Holes([holed], 0, shuffled=False).batch(0, 2)
    given = biased(shown, np.array([True, False]))
    mean = load_mean("temporal-net")
    told = refined(mean, given, recipe_of_diffusion, "cpu")
    hole = shown[:, 2] > 0.5
    answer = mean(shown).detach()
    torch.testing.assert_close(told[0, 0][hole[0]], answer[0, 0][hole[0]])
    assert (told[0, 3][~hole[0]] == 0).all() and (told[1, 3][hole[1]] == 1).all()
    torch.testing.assert_close(told[0, 0][~hole[0]], given[0, 0][~hole[0]])
    torch.testing.assert_close(told[1, [0, 1, 2, 4, 5, 6, 7, 8]], given[1, [0, 1, 2, 4, 5, 6, 7, 8]])
    with pytest.raises(UsageError, match="no network that repairs"):
        load_mean("fast")


def test_denoising_learns_the_spread_of_a_gaussian(recipe_of_diffusion: DiffusionRecipe) -> None:
    """Holes whose truth is the fill and Gaussian noise of standard deviation `DATA`: the exact denoiser shrinks by
    1 / (1 + sigma^2 / DATA^2), and an untrained `Diffuser` is that already."""
    net = Diffuser(recipe_of_diffusion.net.sizes).eval()
    shown = torch.rand(3, 9, 16, 16)
    shown[:, 2] = 1
    sigma = torch.tensor([0.01, 0.1, 1.0])
    noisy = torch.rand(3, 1, 16, 16)
    with torch.no_grad():
        guess = net(with_noise(shown, noisy, sigma))
    shrink = (DATA**2 / (DATA**2 + sigma**2))[:, None, None, None]
    torch.testing.assert_close(guess, shown[:, :1] + shrink * (noisy - shown[:, :1]), atol=1e-5, rtol=1e-4)


def test_a_published_diffusion_model_is_the_same_on_every_engine_and_repairs(
    recipe_of_diffusion: DiffusionRecipe, holed: Path, tmp_path: Path
) -> None:
    train_diffusion(recipe_of_diffusion, [holed], [holed], tmp_path / "run", say=silent)
    used = [Source(name="squares", terms="CC0", address="")]
    card = publish_repair_run(recipe_of_diffusion, tmp_path / "run", [holed], used, tmp_path, "drawn")
    assert card.planes == 11
    _, shown = Holes([holed], 0, shuffled=False).batch(0, 3)
    given = with_noise(biased(shown, np.array([True, True, False])), shown[:, :1], torch.tensor([0.01, 0.1, 1.0]))
    networks = {
        engine: load_repair_network(str(tmp_path / "drawn.json"), "cpu", engine=engine)
        for engine in ("torch", "onnxruntime", "openvino")
    }
    answers = [network.answer(given.numpy()) for network in networks.values()]
    for one in answers[1:]:
        np.testing.assert_allclose(one, answers[0], atol=1e-4)


def other_recipe(name: str, sizes: dict[str, Any]) -> RepairRecipe:
    return RepairRecipe.model_validate(
        {"name": name, "steps": 6, "batch": 4, "validate_every": 3, "validation": 1, "precision": "fp32"}
        | {"net": {"name": name, "sizes": sizes}, "optimiser": {"warmup": 2}}
    )


DYNAMIC = {"width": 8, "blocks": [1, 1], "prior": 8}


def test_a_network_without_neighbours_ships_and_repairs(holed: Path, tmp_path: Path) -> None:
    recipe = other_recipe("fourier", {"width": 16, "blocks": 1})
    train_repair(recipe, [holed], [holed], tmp_path / "run", say=silent)
    used = [Source(name="squares", terms="CC0", address="")]
    publish_repair_run(recipe, tmp_path / "run", [holed], used, tmp_path, "fourier")
    shown = without_neighbours(Holes([holed], 0, shuffled=False).batch(0, 4)[1]).numpy()
    answers = [
        load_repair_network(str(tmp_path / "fourier.json"), "cpu", engine=engine).answer(one)
        for one in (shown, np.ascontiguousarray(shown[:, :, :32, :48]))
        for engine in ("torch", "onnxruntime", "openvino")
    ]
    for n in (1, 2, 4, 5):
        np.testing.assert_allclose(answers[n], answers[n // 3 * 3], atol=1e-4)
    assert isinstance(make_repairer(str(tmp_path / "fourier.json"), "cpu"), StillRepairer)


def test_diffir_learns_in_two_stages(holed: Path, tmp_path: Path) -> None:
    first, second = other_recipe("diffir-teacher", DYNAMIC), other_recipe("diffir", DYNAMIC)
    with pytest.raises(UsageError, match="goes on from weights of diffir-teacher"):
        train_repair(second, [holed], [holed], tmp_path / "second", say=silent)
    teacher = train_repair(first, [holed], [holed], tmp_path / "first", say=silent)
    # Begun with the teacher's weights a run of one step of hardly any rate ends beside them; by itself it does not.
    still = first.model_copy(update={"steps": 1, "optimiser": first.optimiser.model_copy(update={"rate": 1e-9})})
    before = load_file(teacher)
    for start, near in ((teacher, True), (None, False)):
        again = train_repair(still, [holed], [holed], tmp_path / f"again{near}", start=start, say=silent)
        after = load_file(again)
        apart = max(
            float((before[name].float() - after[name].float()).abs().max()) for name in before if "weight" in name
        )
        assert (apart < 1e-3) == near
    with pytest.raises(UsageError, match="holds no weights"):
        train_repair(second, [holed], [holed], tmp_path / "second", start=holed, say=silent)
    with pytest.raises(UsageError, match="first stage"):
        publish_repair_run(first, tmp_path / "first", [holed], [], tmp_path, "teacher")
    whole = train_repair(second, [holed], [holed], tmp_path / "second", start=teacher, say=silent)
    train_repair(second, [holed], [holed], tmp_path / "parts", start=teacher, until=3, say=silent)
    parts = train_repair(second, [holed], [holed], tmp_path / "parts", start=teacher, say=silent)
    one, other = load_file(whole), load_file(parts)
    assert all(torch.equal(one[name], other[name]) for name in one)
    used = [Source(name="squares", terms="CC0", address="")]
    publish_repair_run(second, tmp_path / "second", [holed], used, tmp_path, "diffir")
    shown = Holes([holed], 0, shuffled=False).batch(0, 2)[1].numpy()
    answers = [
        load_repair_network(str(tmp_path / "diffir.json"), "cpu", engine=engine).answer(shown)
        for engine in ("torch", "onnxruntime", "openvino")
    ]
    for answer in answers[1:]:
        # Untrained, it amplifies its own noise to numbers far above 1.
        np.testing.assert_allclose(answer, answers[0], atol=1e-4, rtol=1e-4)


def test_a_unified_model_is_told_nothing_of_the_mask(
    recipe_of_diffusion: DiffusionRecipe, holed: Path, tmp_path: Path
) -> None:
    recipe = recipe_of_diffusion.model_copy(update={"mean": "", "name": "unified"})
    _, shown = Holes([holed], 0, shuffled=False).batch(0, 2)
    given = conditions(recipe, "cpu")(shown, np.array([True, False]))
    scan = shown[:, 1:2]
    torch.testing.assert_close(given[:, 0:2], scan.expand(-1, 2, -1, -1))
    assert (given[:, 2] == 1).all() and (given[:, 3] == 0).all()
    torch.testing.assert_close(given[0, 4:8], shown[0, 4:8])
    torch.testing.assert_close(given[1, 4:8], scan[1].expand(4, -1, -1))
    train_diffusion(recipe, [holed], [holed], tmp_path / "run", say=silent)
    used = [Source(name="squares", terms="CC0", address="")]
    card = publish_repair_run(recipe, tmp_path / "run", [holed], used, tmp_path, "unified")
    assert not card.mean
    assert isinstance(make_repairer(str(tmp_path / "unified.json"), "cpu"), UnifiedRepairer)


@pytest.fixture
def recipe_of_film() -> PriorRecipe:
    sizes = {"fold": 2, "width": 8, "multiples": [1, 2], "blocks": 1, "attention": [0], "heads": 2}
    return PriorRecipe(
        name="film", steps=6, batch=4, validate_every=3, validation=1, precision="fp32",
        net=PriorNet(sizes=sizes), optimiser=Optimiser(warmup=2), steps_sampled=3,
    )  # fmt: skip


def test_a_model_of_film_goes_on_to_the_same_weights_and_fills_holes(
    recipe_of_film: PriorRecipe, holed: Path, tmp_path: Path
) -> None:
    whole = train_prior(recipe_of_film, [holed], [holed], tmp_path / "whole", say=silent)
    train_prior(recipe_of_film, [holed], [holed], tmp_path / "parts", until=3, say=silent)
    parts = train_prior(recipe_of_film, [holed], [holed], tmp_path / "parts", say=silent)
    one, other = load_file(whole), load_file(parts)
    assert all(torch.equal(one[name], other[name]) for name in one)
    used = [Source(name="squares", terms="CC0", address="")]
    card = publish_repair_run(recipe_of_film, tmp_path / "whole", [holed], used, tmp_path, "film")
    assert card.planes == 2 and not card.mean
    assert make_repairer(str(tmp_path / "film.json"), "cpu").name == "diffpir"


def test_an_untrained_model_of_film_is_exact_for_gaussian_pixels(recipe_of_film: PriorRecipe) -> None:
    net = PatchPrior(recipe_of_film.net.sizes).eval()
    sigma, noisy = torch.tensor([0.01, 0.3, 5.0]), torch.rand(3, 1, 16, 16)
    with torch.no_grad():
        guess = net(prior_shown(noisy, sigma))
    shrink = (PRIOR_DATA**2 / (PRIOR_DATA**2 + sigma**2))[:, None, None, None]
    torch.testing.assert_close(guess, MIDDLE + shrink * (noisy - MIDDLE), atol=1e-5, rtol=1e-4)
