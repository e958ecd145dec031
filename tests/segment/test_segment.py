"""A picture into regions, from the model to the files."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tests.segment.models import model, published
from typer.testing import CliRunner

from reelmend.cli.app import app
from reelmend.errors import UsageError
from reelmend.segment import Options, Showing, load_model, segment
from reelmend.segment.affinity import affinity, divergence
from reelmend.segment.attention import AttentionMap
from reelmend.segment.files import palette
from reelmend.segment.run import Walker, as_picture, cut, fitted, joined
from reelmend.segment.seeing import invert, level_of, see
from reelmend.segment.walk import normalised


@pytest.fixture
def picture() -> np.ndarray:
    """Left blue with stripes, right orange."""
    out = np.zeros((48, 64, 3), np.uint8)
    out[:, :32] = (30, 60, 200)
    out[:, 32:] = (240, 150, 20)
    out[::4, :32] = (60, 110, 240)
    return out


def colour_walk(picture: np.ndarray, grid: tuple[int, int]) -> Walker:
    """As a good model would look: at nodes of the same colour."""
    small = cv2.resize(as_picture(picture), grid[::-1], interpolation=cv2.INTER_AREA).reshape(-1, 3)
    apart = torch.cdist(torch.from_numpy(small), torch.from_numpy(small))
    return Walker(normalised(torch.exp(-10 * apart) + 1e-4), grid, torch.from_numpy(small))


@pytest.mark.parametrize("kind", ["attention", "features", "combined"])
@pytest.mark.parametrize("similarity", ["cosine", "kl", "hidden"])
@pytest.mark.parametrize("stop", ["constant", "dynamic"])
def test_two_colours_are_two_regions(picture: np.ndarray, kind: str, similarity: str, stop: str) -> None:
    options = Options(affinity=kind, similarity=similarity, stop=stop, walk=2)  # type: ignore[arg-type]
    tree = cut(colour_walk(picture, (12, 16)), as_picture(picture), options)
    assert tree.labels is not None
    assert np.ptp(tree.labels) == 1
    assert (tree.labels[:, :30] == tree.labels[0, 0]).all() and (tree.labels[:, 34:] == tree.labels[0, -1]).all()


def test_the_guided_filter_puts_the_border_on_the_edge(picture: np.ndarray) -> None:
    moved = np.roll(picture, 3, axis=1)
    moved[:, :3] = moved[:, 3:4]
    walker = colour_walk(picture, (6, 8))
    tree = cut(walker, as_picture(moved), Options(pixels="nodes", refine=True))
    plain = cut(walker, as_picture(moved), Options(pixels="nodes"))
    assert tree.labels is not None and plain.labels is not None
    truth = np.arange(64) >= 35

    def wrong(labels: np.ndarray) -> int:
        return int(((labels == labels[0, -1]) != truth).sum())

    assert wrong(tree.labels) < wrong(plain.labels) / 2


def test_affinities_are_symmetric_and_kl_is_that_of_its_definition() -> None:
    walk = torch.softmax(torch.randn(9, 9, generator=torch.Generator().manual_seed(0)).double(), dim=1)
    for kind in ("attention", "features", "combined"):
        for similarity in ("cosine", "kl", "hidden"):
            found = affinity(walk, kind, similarity, walk)  # type: ignore[arg-type]
            assert torch.equal(found, found.T) and (found >= 0).all()
    p, q = walk[2], walk[5]
    expected = float((p * (p / q).log()).sum() + (q * (q / p).log()).sum())
    assert float(divergence(walk)[2, 5]) == pytest.approx(expected, abs=1e-9)
    for wrong in (
        {"kind": "other"},
        {"kind": "features", "similarity": "other"},
        {"kind": "features", "similarity": "hidden"},
    ):
        with pytest.raises(UsageError):
            affinity(walk, **wrong)  # type: ignore[arg-type]


def test_a_model_gives_a_hierarchy_the_same_each_time(picture: np.ndarray) -> None:
    options = Options(stop="constant", threshold=1.0, showing=Showing(passes=2, seed=4))
    one, other = segment(picture, model(), options), segment(picture, model(), options)
    assert one.labels is not None and other.labels is not None
    assert one.labels.shape == (48, 64) and one.grid == (14, 18)
    assert np.array_equal(one.labels, other.labels)
    assert one.facts["model"] == "small"
    luma = model(colours=1)
    assert segment(picture[..., 0], luma, options).labels is not None


def test_a_picture_without_contrast_is_one_region() -> None:
    for value in (0, 77, 255):
        tree = segment(np.full((40, 40, 3), value, np.uint8), model(), Options(stop="constant", threshold=1.9))
        assert len(tree.regions) == 1
        assert tree.labels is not None and not tree.labels.any()


def test_what_cannot_be_segmented_is_refused() -> None:
    with pytest.raises(UsageError, match="smaller than one patch"):
        segment(np.zeros((3, 40, 3), np.uint8), model())
    with pytest.raises(UsageError, match="shape"):
        segment(np.zeros((40, 40, 2), np.uint8), model())
    with pytest.raises(UsageError, match="finite"):
        segment(np.full((40, 40, 3), np.nan, np.float32), model())
    broken = model()
    next(broken.net.parameters()).data[:] = torch.nan
    with pytest.raises(UsageError, match="NaN"):
        segment(np.arange(40 * 40 * 3, dtype=np.uint16).reshape(40, 40, 3), broken)
    with pytest.raises(UsageError, match="stop"):
        segment(np.eye(40, dtype=np.float32), model(), Options(stop="never"))  # type: ignore[arg-type]


def test_pictures_keep_their_shape() -> None:
    assert fitted(np.zeros((321, 481, 3), np.float32), 128, 16).shape == (112, 160, 3)
    assert fitted(np.zeros((20, 20, 3), np.float32), 128, 16).shape == (128, 128, 3)


def test_noise_is_counted_in_that_of_pictures_or_by_timestep() -> None:
    small = model()
    ratio = small.levels.ratio[level_of(small, Showing(noise=2.0))]
    assert ratio == pytest.approx(0.5, rel=0.01)
    with pytest.raises(UsageError, match="counts no timesteps"):
        level_of(small, Showing(timestep=4))


def test_inversion_leads_back_to_the_picture() -> None:
    from reelmend.diffusion import ddim

    torch.manual_seed(0)
    small, x0 = model(), torch.rand(1, 3, 32, 32)
    last = level_of(small, Showing(noise=1.0))
    with torch.no_grad():
        noisy = invert(small, x0, last, steps=60)
        levels = [(1.0, float(small.levels.sigma[n])) for n in np.linspace(last, 0, 60).astype(int)]
        back = torch.as_tensor(ddim(small.denoise, levels, noisy))
    spread = float(small.levels.sigma[last])
    assert float((noisy - x0).std()) > spread / 4
    assert float((back - x0).abs().mean()) < spread / 10
    maps = see(small, x0, Showing(inversion=True, passes=5))
    assert len(maps) == 1


def test_passes_are_averaged() -> None:
    walks = [torch.softmax(torch.randn(4, 4, generator=torch.Generator().manual_seed(n)), dim=1) for n in (0, 1)]
    passes = [[AttentionMap("a", walk, torch.eye(4), (2, 2))] for walk in walks]
    torch.testing.assert_close(joined(passes).walk, (walks[0] + walks[1]) / 2)


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("model"))


def test_the_command_writes_labels_overlay_and_tree(card: Path, picture: np.ndarray, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "in.png"), picture[..., ::-1])
    given = ["segment", str(tmp_path / "in.png"), str(tmp_path / "out.png"), "--model", str(card), "--size", "32",
             "--stop", "constant", "--threshold", "1.0", "--levels", "all"]  # fmt: skip
    said = CliRunner().invoke(app, given)
    assert said.exit_code == 0, said.output
    labels = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    assert labels is not None and labels.dtype == np.uint16 and labels.shape == (48, 64)
    colours = cv2.imread(str(tmp_path / "out.palette.png"))
    assert colours is not None and np.array_equal(colours[..., ::-1], palette()[labels])
    kept = (tmp_path / "out.palette.png").read_bytes()
    assert kept[25] == 3  # colour type of the PNG header: indexed
    shown = cv2.imread(str(tmp_path / "out.overlay.png"))
    assert shown is not None and shown.shape == (48, 64, 3)
    tree = json.loads((tmp_path / "out.json").read_text())
    assert tree["picture"] == "in.png" and tree["regions"] == labels.max() + 1
    assert tree["nodes"][0]["cost"] is not None and tree["nodes"][0]["share"] == 1
    assert said.output.startswith(f"{labels.max() + 1} region")
    deepest = max(int(one.name.split("level")[1][:2]) for one in tmp_path.glob("out.level*.png"))
    last = cv2.imread(str(tmp_path / f"out.level{deepest:02d}.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(last, labels)
    first = cv2.imread(str(tmp_path / "out.level00.png"), cv2.IMREAD_UNCHANGED)
    assert first is not None and not first.any()


def exit_of(arguments: list[str]) -> tuple[int, str]:
    """As the shell sees it: exit code and what is said."""
    from reelmend.errors import ReelMendError

    said = CliRunner().invoke(app, arguments)
    if isinstance(said.exception, ReelMendError):
        return said.exception.exit_code, str(said.exception)
    return said.exit_code, said.output


def test_the_command_says_what_is_wrong_in_one_sentence(card: Path, picture: np.ndarray, tmp_path: Path) -> None:
    image, out = str(tmp_path / "in.png"), str(tmp_path / "out.png")
    cv2.imwrite(image, picture)
    cv2.imwrite(str(tmp_path / "tiny.png"), picture[:3, :3])
    (tmp_path / "text.png").write_text("no picture")
    wrong = [
        ([image, str(tmp_path / "out.jpg")], "written as .png"),
        ([str(tmp_path / "none.png"), out], "does not exist"),
        ([str(tmp_path / "text.png"), out], "no picture"),
        ([str(tmp_path / "tiny.png"), out, "--model", str(card)], "smaller than one patch"),
        ([image, out, "--model", "nobody"], "no model is called nobody"),
        ([image, out, "--model", "temporal-net.json"], "temporal-net"),
        ([image, out, "--levels", "some", "--model", str(card)], "--levels some"),
        ([image, out, "--affinity", "love", "--model", str(card)], "no affinity"),
        ([image, out, "--layer", "nose", "--model", str(card)], "no self-attention is called nose"),
    ]
    for arguments, sentence in wrong:
        code, said = exit_of(["segment", *arguments])
        assert sentence in said, (arguments, said)
        assert code == 2, said
    (tmp_path / "out.json").write_text("")
    assert "exists already" in exit_of(["segment", image, out, "--model", str(card)])[1]


def test_a_shipped_repair_network_is_no_model_to_segment_with() -> None:
    from reelmend.runtime.network import WEIGHTS

    with pytest.raises(UsageError, match="no diffusion model of whole pictures"):
        load_model(str(WEIGHTS / "temporal-net.json"))
