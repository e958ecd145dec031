"""Networks that repair: the Fourier transform is the Fourier transform, DiffIR's diffusion inverts its own noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reelmend.nets.card import publish_repairer
from reelmend.nets.diffir import DIFFUSION_STEPS, DiffIR, signal
from reelmend.nets.diffuser import Diffuser, grain_around
from reelmend.nets.fourier import FourierNet, irfft2, rfft2
from reelmend.nets.zoo import REPAIR_NETS
from reelmend.runtime import ENGINES, load_repair_network


@pytest.mark.parametrize("size", [(8, 8), (12, 16), (7, 10)])
def test_the_fourier_transform_is_that_of_torch(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    real, imaginary = rfft2(x)
    wanted = torch.fft.rfft2(x, norm="ortho")
    torch.testing.assert_close(torch.complex(real, imaginary), wanted, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(irfft2(real, imaginary, size[1]), x, atol=1e-5, rtol=1e-4)


def test_a_fourier_network_sees_all_of_the_patch_and_no_neighbours() -> None:
    torch.manual_seed(0)
    net = FourierNet({"width": 16, "blocks": 1}).eval()
    torch.nn.init.normal_(net.head[-1].weight)  # type: ignore[arg-type]
    shown = torch.rand(1, 8, 64, 64)
    other, far = shown.clone(), shown.clone()
    other[:, [1, 3, 4, 5, 6, 7]] = torch.rand(1, 6, 64, 64)
    far[:, 0, 0, 0] += 0.5
    with torch.no_grad():
        told = net(shown)
        torch.testing.assert_close(net(other), told)
        assert (net(far) - told)[0, 0, 40:, 40:].abs().max() > 1e-6


@pytest.mark.parametrize("name", ["mixer", "fourier", "diffir"])
def test_a_new_network_gives_little_else_than_the_fill(name: str) -> None:
    net = REPAIR_NETS[name]({}).eval()
    shown = torch.rand(2, 8, 32, 64)
    with torch.no_grad():
        answer = net(shown)
    assert answer.shape == (2, 2, 32, 64)
    assert float((answer[:, 0] - shown[:, 0]).abs().mean()) < 0.1
    assert float(answer[:, 1].min()) >= 0


@pytest.mark.parametrize("name", REPAIR_NETS)
def test_every_engine_answers_any_number_of_patches_of_any_size_alike(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = REPAIR_NETS[name]({}).eval()
    for values in net.state_dict().values():
        # Heads begin with nothing, and nothing is the same whatever a graph does.
        if values.is_floating_point() and not values.any():
            torch.nn.init.normal_(values, 0, 0.02)
    publish_repairer(net, {"recipe": {}, "data": []}, tmp_path, "one")  # type: ignore[arg-type]
    engines = {engine: load_repair_network(str(tmp_path / "one.json"), "cpu", engine=engine) for engine in ENGINES}
    planes = engines["torch"].card.planes
    rng = np.random.default_rng(0)
    for count, side in ((1, 32), (3, 64)):
        shown = rng.random((count, planes, side, side), np.float32)
        answers = {engine: network.answer(shown) for engine, network in engines.items()}
        assert answers["torch"].shape[0] == count and answers["torch"].shape[2:] == (side, side)
        for engine, answer in answers.items():
            np.testing.assert_allclose(answer, answers["torch"], atol=2e-4, err_msg=engine)


def test_the_guessed_vector_is_the_true_one_where_the_noise_is_known() -> None:
    net = DiffIR({"width": 8, "blocks": [1, 1], "prior": 6})
    wanted, noise = torch.randn(3, 6), torch.randn(3, 6)
    assert signal(0) == 1 and 0 < signal(DIFFUSION_STEPS) < 0.01
    levels = iter(range(DIFFUSION_STEPS, 0, -1))
    state = {}

    def exact(noisy: torch.Tensor, step: float, condition: torch.Tensor) -> torch.Tensor:
        left = signal(next(levels))
        state["noisy"] = noisy
        return (noisy - left**0.5 * wanted) / (1 - left) ** 0.5

    net.denoiser.forward = exact  # type: ignore[method-assign, assignment]
    left = signal(DIFFUSION_STEPS)
    guessed = net.guessed(torch.rand(3, 8, 32, 32), left**0.5 * wanted + (1 - left) ** 0.5 * noise)
    # The last step goes to no noise at all: what is left is the vector.
    torch.testing.assert_close(guessed, wanted, atol=1e-4, rtol=1e-3)


def test_grain_is_seen_around_holes_whatever_the_picture() -> None:
    generator = torch.Generator().manual_seed(0)
    slope = torch.linspace(0.2, 0.8, 64).expand(64, 64)
    edge = torch.where(torch.arange(64) < 30, 0.3, 0.7).expand(64, 64)
    told = []
    for picture in (slope, edge):
        for strength in (0.005, 0.01, 0.02, 0.04):
            shown = torch.zeros(1, 8, 64, 64)
            shown[:, 4:] = picture + strength * torch.randn(4, 64, 64, generator=generator)
            shown[:, 1] = picture + strength * torch.randn(64, 64, generator=generator)
            shown[:, 2, 20:40, 20:40] = 1
            shown[:, 1, 20:40, 20:40] = 1
            told.append(grain_around(shown)[0, :, 30, 30])
    levels = torch.stack(told)
    # Twice the grain is half the logarithm of two more, on a slope and at an edge alike; damage is not seen.
    steps = levels[1:4] - levels[:3]
    torch.testing.assert_close(steps, torch.full_like(steps, 0.3466), atol=0.06, rtol=0)
    torch.testing.assert_close(levels[:4], levels[4:], atol=0.1, rtol=0)
    # Between scan and neighbour there are two grains, and no picture.
    torch.testing.assert_close(levels[:, 0], levels[:, 1], atol=0.1, rtol=0)


def test_a_diffuser_may_be_told_of_the_grain() -> None:
    net = Diffuser(
        {"fold": 2, "width": 8, "multiples": [1, 2], "blocks": 1, "attention": [1], "heads": 2, "grain": True}
    )
    shown = torch.rand(2, 11, 32, 32)
    shown[:, 9], shown[:, 2] = -1.0, (torch.rand(2, 32, 32) > 0.8).float()
    with torch.no_grad():
        assert torch.isfinite(net.eval()(shown)).all()
    assert net.net.stem.in_channels == 48
