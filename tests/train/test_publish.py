"""From a run to a card: calibration, operating points, terms."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from reelmend.errors import UsageError
from reelmend.runtime import load_network
from reelmend.runtime.views import MIRRORED, Views
from reelmend.train.detector import train
from reelmend.train.publish import (
    GIVEN,
    Counts,
    calibration,
    held_back_scores,
    measure,
    operating_points,
    publish_run,
    sources_of,
)
from reelmend.train.recipe import TrainRecipe
from small_networks import scene, small

TERMS = """
[[source]]
name = "Our own"
terms = "CC0"
files = ["ours_*.mkv"]
"""


def overconfident() -> Counts:
    """A detector whose probability p is right in p squared of the cases, and never fires on film without damage."""
    counts = Counts()
    counts.damaged[:] = 100_000 * GIVEN**2
    counts.clean[:] = 100_000 - counts.damaged
    counts.undamaged[0] = 10_000_000
    return counts


def test_calibration_makes_probabilities_true() -> None:
    knots = calibration(overconfident())
    given, true = np.array(knots).T
    np.testing.assert_allclose(true, given**2, atol=0.01)
    assert (np.diff(given) > 0).all() and (np.diff(true) >= 0).all()


def test_strengths_fall_and_are_those_of_the_f_measures() -> None:
    counts = overconfident()
    points = operating_points(counts, calibration(counts))
    assert points.gentle > points.standard > points.strong
    # By brute force over all thresholds.
    hits, found = (np.cumsum(one[::-1])[::-1] for one in (counts.damaged, counts.damaged + counts.clean))
    best = GIVEN[np.argmax(2 * hits / (found + counts.damaged.sum()))]
    assert points.strong == pytest.approx(best**2, abs=0.02)


def test_held_back_scores_are_those_of_the_points() -> None:
    counts = overconfident()
    counts.undamaged[:] = 0
    counts.undamaged[np.argmin(abs(GIVEN - 0.1))] = 9_000_000
    counts.undamaged[-1] = 1_000_000
    knots = calibration(counts)
    points = operating_points(counts, knots)
    scores = held_back_scores(counts, knots, points)
    assert scores["held_back_false_alarms_standard"] == 100_000
    precision, recall = scores["held_back_precision_strong"], scores["held_back_recall_strong"]
    assert scores["held_back_dice_strong"] == pytest.approx(2 * precision * recall / (precision + recall), abs=1e-3)
    assert scores["held_back_precision_gentle"] > scores["held_back_precision_standard"] > precision


def test_terms_are_looked_up_and_unknown_footage_is_refused(tmp_path: Path) -> None:
    terms, pack = tmp_path / "terms.toml", tmp_path / "windows.npy"
    terms.write_text(TERMS)
    (tmp_path / "windows.json").write_text(json.dumps({"windows": {"ours_1.mkv": 3, "ours_2.mkv": 3}}))
    assert [source.name for source in sources_of([pack], terms)] == ["Our own"]
    (tmp_path / "windows.json").write_text(json.dumps({"windows": {"found_somewhere.mkv": 3}}))
    with pytest.raises(UsageError, match="found_somewhere"):
        sources_of([pack], terms)
    with pytest.raises(UsageError, match="cannot tell"):
        sources_of([tmp_path / "other.npy"], terms)


class OneBatch:
    """A feed of one batch, damaged in its left half."""

    def __init__(self) -> None:
        self.stack = torch.from_numpy(np.stack([scene(3, 48, 64, n) for n in range(2)]))
        self.judged = torch.ones(2, 1, 48, 64)
        self.truth = torch.zeros(2, 1, 48, 64)
        self.truth[..., :32] = 1

    def batch(self, number: int, size: int, undamaged: bool = False) -> OneBatch:
        return self


@pytest.mark.parametrize("views", [1, 2, 4])
def test_measured_is_the_mean_of_the_looks(views: Views) -> None:
    net, feed = small("compact", 3), OneBatch()
    counts = measure(net, feed, feed, batches=1, views=views)  # type: ignore[arg-type]
    with torch.no_grad():
        looks = [torch.sigmoid(net(feed.stack.flip(axes))).flip(axes) for axes in MIRRORED[views]]
    damaged = torch.stack(looks).mean(0)[..., :32].numpy()
    assert counts.damaged.sum() == damaged.size
    above = np.cumsum(counts.damaged[::-1])[::-1]
    for probability in np.quantile(damaged, (0.2, 0.5, 0.8)):
        level = np.searchsorted(GIVEN, probability)
        # Pixels are counted at the nearest level.
        most, least = (np.count_nonzero(damaged >= GIVEN[level + near]) for near in (-1, 0))
        assert least <= above[level] <= most


def test_a_run_becomes_a_network(recipe: TrainRecipe, pack: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="train first"):
        publish_run(recipe, tmp_path, [pack], [], tmp_path, "tiny")
    train(recipe, [pack], [pack], tmp_path / "run", say=lambda text: None)
    card = publish_run(recipe, tmp_path / "run", [pack], [], tmp_path / "out", "tiny", batches=2, note="small")
    assert (card.name, card.note, card.recipe["steps"], card.views) == ("tiny", "small", recipe.steps, 1)
    network = load_network(str(tmp_path / "out" / "tiny.json"))
    assert network.damage(np.full((3, 40, 40), 0.5, np.float32)).shape == (40, 40)
    again = publish_run(recipe, tmp_path / "run", [pack], [], tmp_path / "again", "tiny", batches=2, note="small")
    assert again == card
    mirrored = recipe.model_copy(update={"views": 4})
    assert publish_run(mirrored, tmp_path / "run", [pack], [], tmp_path / "mirrored", "tiny", batches=2).views == 4
    assert torch.get_num_threads() == 1
