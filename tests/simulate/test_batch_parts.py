"""The pieces of the batched simulator against independent or slower ways to the same end."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from reelmend.simulate import recipe as recipes
from reelmend.simulate.batch import Simulator, picture
from reelmend.simulate.batch.atlas import SIDE, Atlas, Collector, Pixels, Step
from reelmend.simulate.batch.grain import LAW, GrainBank
from reelmend.simulate.batch.keep import load
from reelmend.simulate.batch.lay import UNIT, Layer
from reelmend.simulate.batch.lookalikes import LookalikeClips
from reelmend.simulate.batch.records import CHOICES, TURNS, Records
from reelmend.simulate.batch.render import ladder
from reelmend.simulate.batch.tables import Tables
from reelmend.simulate.grain import add_grain, grain_of
from reelmend.simulate.life import mean_life, sample_life
from reelmend.simulate.lookalikes import LOOKALIKES
from reelmend.simulate.recipe import Entry, Lookalike, Recipe, Sticking
from reelmend.simulate.statistics import Statistics

CPU = torch.device("cpu")
STEP = Step("16mm", 900, 657, 11.4)


def smooth(*shape: int, seed: int = 0) -> torch.Tensor:
    """Clips `(b, t, c, h, w)` of a soft texture in 0.1..0.9."""
    planes = np.random.default_rng(seed).random((int(np.prod(shape[:3])), *shape[3:]), dtype=np.float32)
    soft = np.stack([cv2.GaussianBlur(plane, (0, 0), 2) for plane in planes])
    soft = (soft - soft.min()) / (soft.max() - soft.min()) * 0.8 + 0.1
    return torch.from_numpy(soft.reshape(shape).astype(np.float32))


class TestPicture:
    def test_shift_is_that_of_opencv(self) -> None:
        clips = smooth(2, 2, 3, 45, 52)
        shift = torch.tensor([[[1.3, -2.6], [0.0, 0.0]], [[-4.0, 3.0], [-0.4, 5.5]]], dtype=torch.float64)
        moved = picture.move(clips, shift)
        for sample in range(2):
            for frame in range(2):
                x, y = shift[sample, frame].tolist()
                expected = cv2.warpAffine(
                    clips[sample, frame].permute(1, 2, 0).numpy(),
                    np.array([[1, 0, x], [0, 1, y]]),
                    (52, 45),
                    flags=cv2.INTER_LANCZOS4,
                    borderMode=cv2.BORDER_REFLECT_101,
                )
                np.testing.assert_allclose(moved[sample, frame].permute(1, 2, 0).numpy(), expected, atol=6e-3)
        assert torch.equal(moved[0, 1], clips[0, 1])

    def test_blur_is_that_of_opencv(self) -> None:
        clips = smooth(3, 1, 1, 40, 51)
        blurred = picture.blur(clips, torch.tensor([0.0, 0.5, 1.1]), 1.1)
        assert torch.equal(blurred[0], clips[0])
        for sample, sigma in ((1, 0.5), (2, 1.1)):
            expected = cv2.GaussianBlur(clips[sample, 0, 0].numpy(), (9, 9), sigma, borderType=cv2.BORDER_REPLICATE)
            np.testing.assert_allclose(blurred[sample, 0, 0].numpy(), expected, atol=2e-3)

    @pytest.mark.parametrize("compression", [0.2, 0.6, 1.0])
    def test_compression_errs_as_jpeg_does(self, compression: float) -> None:
        clips = smooth(1, 1, 1, 83, 90, seed=3)
        eight = np.rint(clips[0, 0, 0].numpy() * 255).astype(np.uint8)
        quality = round(100 - 80 * compression)
        packed = cv2.imencode(".jpg", eight, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        expected = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE).astype(np.float32) - eight
        ours = picture.compress(clips, torch.tensor([compression]))[0, 0, 0].numpy() * 255 - eight
        assert ours.std() == pytest.approx(expected.std(), rel=0.15)
        assert abs(ours.mean()) < 1

    def test_fading_is_that_of_the_reel(self) -> None:
        clips = smooth(2, 1, 3, 32, 32)
        faded = picture.fade(clips, torch.tensor([0.0, 1.0]))
        torch.testing.assert_close(faded[0], clips[0])
        for channel, lost in enumerate((0.85, 0.25, 0.7)):
            torch.testing.assert_close(faded[1, 0, channel], clips[1, 0, channel] ** (1 - lost))
        gray = picture.fade(clips[:, :, :1], torch.tensor([0.0, 1.0]))
        torch.testing.assert_close(gray[1], 0.5 + (clips[1, :, :1] - 0.5) / 2)


@pytest.mark.parametrize(("channels", "level"), [(1, 0.5), (1, 0.15), (3, 0.5)])
def test_grain_is_that_of_the_reel(channels: int, level: float) -> None:
    recipe = recipes.Grain(granularity=(10, 10), correlation=(0.4, 0.4))
    bank = GrainBank(recipe, [STEP], 0, CPU)
    clips = torch.full((6, 2, channels, 96, 120), level)
    bank.add(clips, bank.plan(torch.Generator().manual_seed(1), torch.zeros(6, dtype=torch.long), 2, channels, 96, 120))
    shape = (600, 900) if channels == 1 else (600, 900, 3)
    reel = add_grain(
        np.full(shape, level, np.float32), grain_of("16mm", 900, 10, 0.4, law=LAW), np.random.default_rng(1)
    )
    ours, theirs = clips.numpy() - level, reel - level
    assert ours.std() == pytest.approx(theirs.std(), rel=0.06)
    assert neighbours(ours) == pytest.approx(
        neighbours(theirs if channels == 1 else theirs.transpose(2, 0, 1)), abs=0.04
    )
    if channels == 3:
        mine = np.corrcoef(ours.transpose(2, 0, 1, 3, 4).reshape(3, -1))[0, 1]
        assert mine == pytest.approx(np.corrcoef(theirs.reshape(-1, 3).T)[0, 1], abs=0.06)
    # No two frames have the same grain.
    assert abs(np.corrcoef(ours[0, 0].ravel(), ours[0, 1].ravel())[0, 1]) < 0.05


def neighbours(noise: NDArray[np.float32]) -> float:
    """Correlation of pixels side by side."""
    return float(np.corrcoef(noise[..., 1:].ravel(), noise[..., :-1].ravel())[0, 1])


class TestLaying:
    def test_patches_lie_where_a_loop_would_put_them(self) -> None:
        rng = np.random.default_rng(0)
        collector = Collector(1, [1], [False])
        collector.begin(0, 0)
        softs = [rng.random((int(rng.integers(3, 30)), int(rng.integers(3, 30))), dtype=np.float32) for _ in range(8)]
        offsets = [rng.integers(-20, 5, 2).tolist() for _ in softs]
        for soft, (top, left) in zip(softs, offsets, strict=True):
            collector.add([Pixels.of(soft, top, left, 0.0)], [None])
        piece = np.where(rng.random((SIDE, SIDE)) < 0.02, np.float32(0.5), np.float32(0))
        collector.add([Pixels.of(piece, 0, 0, 0.0)], [None], (900, 900))
        softs.append(piece)
        offsets.append([0, 0])
        collector.end(0, 0, 1.0)
        count, height, width = 60, 37, 53
        patch = rng.integers(len(softs), size=count)
        patch[:6] = len(softs) - 1
        turn = np.where(patch == len(softs) - 1, rng.integers(4, size=count), rng.integers(8, size=count))
        place = rng.integers(-25, 60, (count, 2))
        place[patch == len(softs) - 1] -= 200
        opacity, bright = rng.uniform(0.1, 0.9, count), rng.random(count) < 0.5
        plane = rng.integers(3, size=count)
        records = Records(
            *(torch.from_numpy(part) for part in (patch, plane, place, turn, np.zeros(count, np.int64))),
            *(torch.from_numpy(part) for part in (opacity, np.full(count, 0.9), bright, np.zeros(count, np.int64))),
        )
        maps = Layer(collector.atlas(), CPU).lay(records, 3, height, width, torch.tensor([7]))
        expected = np.ones((3, height, width))
        for n in range(count):
            a, b, c, d = TURNS[turn[n]]
            soft, (top, left) = softs[patch[n]], offsets[patch[n]]
            for row, column in zip(*np.nonzero(soft), strict=True):
                dy, dx = row + top, column + left
                y, x = place[n, 0] + a * dy + b * dx, place[n, 1] + c * dy + d * dx
                if 0 <= y < height and 0 <= x < width:
                    share = float(soft[row, column])
                    lost = opacity[n] * share if bright[n] else 1 - (1 - opacity[n]) ** share
                    expected[plane[n], y, x] *= 1 - (lost if lost >= 1 / 512 else 0)
        np.testing.assert_allclose(np.exp(-maps.density.numpy() / UNIT), expected, atol=1e-4)
        assert set(np.unique(maps.strongest.numpy() & 255)) == {0, 7}
        assert np.array_equal(maps.strongest.numpy() > 0, maps.density.numpy() > 0)

    def test_turns_are_all_and_only_turns(self) -> None:
        assert len(set(TURNS)) == 8
        for a, b, c, d in TURNS:
            matrix = np.array([[a, b], [c, d]])
            assert np.array_equal(matrix @ matrix.T, np.eye(2))
        upright = [TURNS[choice] for choice in CHOICES[3]]
        assert upright == [(1, 0, 0, 1), (-1, 0, 0, -1)]


class TestTables:
    recipe = Recipe(
        damage={"dust": Entry(), "stain": Entry(frames=(4, 60), wobble=(10, 10))}, sticking=Sticking(chance=0.3)
    )

    def tables(self) -> Tables:
        simulator = Simulator(self.recipe, 0, members=2, steps=1, frames=2)
        return simulator._tables

    def test_lives_are_those_of_the_reel(self) -> None:
        tables = self.tables()
        rng = np.random.default_rng(0)
        share = torch.from_numpy(rng.random(40_000))
        kind = torch.ones(len(share), dtype=torch.long)
        born = tables.life(kind, share, longer=torch.zeros(len(share), dtype=torch.bool))
        lives = np.array([sample_life(rng, (4, 60)) for _ in range(20_000)])
        assert float(born.double().mean()) == pytest.approx(lives.mean(), rel=0.03)
        assert (int(born.min()), int(born.max())) == (4, 60)
        assert float(tables.mean_life[1]) == pytest.approx(mean_life((4, 60)))
        assert float(tables.mean_life[0]) == pytest.approx(0.7 + 0.3 * mean_life((2, 6)))
        # Of those alive at a moment the long-lived are seen more: mean square over mean.
        met = tables.life(kind, share, longer=torch.ones(len(share), dtype=torch.bool))
        assert float(met.double().mean()) == pytest.approx((lives**2).mean() / lives.mean(), rel=0.03)

    def test_reels_differ_as_the_fit_says(self) -> None:
        tables = self.tables()
        share = torch.from_numpy(np.random.default_rng(0).random((50_000, 2)))
        factor = tables.reel_factor(share)
        dispersion = Statistics.load().kinds["dust"].count.dispersion
        assert float(factor[:, 0].mean()) == pytest.approx(1, rel=0.03)
        assert float(factor[:, 0].var()) == pytest.approx(dispersion, rel=0.06)
        assert bool((factor[:, 1] == 1).all())

    def test_wandering_is_slow_and_of_unit_size(self) -> None:
        share = torch.from_numpy(np.random.default_rng(0).random((4000, 2, 16)))
        way = self.tables().wander(share, 3)
        assert float(way.std()) == pytest.approx(1, rel=0.04)
        assert float((way[:, 1] - way[:, 0]).std()) < 0.9


class TestAtlas:
    def test_ladder_spans_the_recipe(self) -> None:
        recipe = Recipe(gauge=("35mm", "8mm"), scan_width=(600, 2400))
        steps = ladder(recipe, 8)
        assert [step.gauge for step in steps] == ["35mm"] * 4 + ["8mm"] * 4
        widths = [step.width for step in steps]
        assert len(set(widths)) == 8 and 600 < min(widths) < 800 and 1900 < max(widths) < 2400
        assert steps[0].micrometres == pytest.approx(24_900 / steps[0].width)
        assert steps[0].height / steps[0].width == pytest.approx(0.75, rel=0.01)

    def test_kept_atlas_is_read_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        recipe = Recipe(gauge=("8mm",), damage={"dust": Entry(), "splice": Entry(per_frame=(1, 1), halo=(0.1, 0.2))})
        given = torch.full((2, 2, 1, 64, 64), 0.4)
        options = {"members": 3, "steps": 1, "frames": 2, "cache": tmp_path}
        drawn = Simulator(recipe, 4, **options).batch(given)
        (kept,) = tmp_path.glob("atlas-*.npz")
        monkeypatch.setattr("reelmend.simulate.batch.render._render", None)
        again = Simulator(recipe, 4, **options).batch(given)
        assert torch.equal(drawn.alpha, again.alpha)
        assert load(Atlas, kept).spans.tolist() == [False, True]

    def test_broken_cache_is_drawn_anew(self, tmp_path: Path) -> None:
        recipe = Recipe(damage={"dust": Entry()})
        options = {"members": 3, "steps": 1, "frames": 1, "cache": tmp_path}
        Simulator(recipe, 4, **options)
        (kept,) = tmp_path.glob("atlas-*.npz")
        whole = kept.read_bytes()
        kept.write_bytes(whole[: len(whole) // 2])
        Simulator(recipe, 4, **options)
        assert kept.read_bytes() == whole


class TestLookalikes:
    def test_they_move_on_and_are_not_damage(self) -> None:
        recipe = Recipe(scan_width=(800, 801), lookalikes={"snow": Lookalike(chance=1.0, amount=(3, 3))})
        given = torch.full((4, 3, 3, 160, 160), 0.2)
        batch = Simulator(recipe, 1, frames=3, steps=1).batch(given)
        changed = (batch.clean - given).abs().amax(dim=2) > 0.05
        assert 0.0005 < float(changed.float().mean()) < 0.3
        assert not torch.equal(changed[:, 0], changed[:, 1])
        assert not bool(batch.mask.any())
        assert torch.equal(batch.damaged, batch.clean)

    def test_kept_clips_are_read_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        recipe = Recipe(scan_width=(800, 801), lookalikes={"birds": Lookalike(chance=1.0)})
        given = torch.full((2, 2, 3, 64, 64), 0.5)
        drawn = Simulator(recipe, 1, frames=2, steps=1, cache=tmp_path).batch(given)
        monkeypatch.setattr("reelmend.simulate.batch.lookalikes.draw_clips", None)
        again = Simulator(recipe, 1, frames=2, steps=1, cache=tmp_path).batch(given)
        assert torch.equal(drawn.clean, again.clean)

    def test_chance(self) -> None:
        recipe = Recipe(scan_width=(800, 801), lookalikes={"titles": Lookalike(chance=0.25)})
        clips = LookalikeClips(recipe, ladder(recipe, 1), 0, 1, CPU)
        step = torch.zeros(4000, dtype=torch.long)
        placed = clips.plan(torch.Generator().manual_seed(0), step, 64, 64)
        assert len(placed.sample) / 4000 == pytest.approx(0.25, abs=0.03)
        # Writing is never mirrored.
        assert not bool(placed.mirrored.any())

    def test_all_others_can_be_drawn(self) -> None:
        names = [name for name, look in LOOKALIKES.items() if not look.needs_picture]
        recipe = Recipe(scan_width=(500, 501), lookalikes={name: Lookalike(chance=1.0) for name in names})
        batch = Simulator(recipe, 1, frames=1, steps=1).batch(torch.full((2, 1, 1, 128, 128), 0.3))
        assert bool(torch.isfinite(batch.clean).all())
        assert float((batch.clean - 0.3).abs().max()) > 0.1
