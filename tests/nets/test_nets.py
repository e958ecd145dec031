"""The conformance suite of networks: all of the zoo, for one frame and for windows."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from reelmend.nets.export import load_weights, save_weights
from reelmend.nets.features import FEATURES
from reelmend.nets.reach import reach
from reelmend.nets.zoo import NETS, Detector
from small_networks import SIZES, scene, small

EVERY = pytest.mark.parametrize(("name", "frames"), [(name, frames) for name in NETS for frames in (1, 5)])


@EVERY
def test_a_map_as_large_as_the_stack(name: str, frames: int) -> None:
    net = small(name, frames)
    with torch.no_grad():
        for height, width in ((1, 1), (1, 3), (4, 2)):
            stack = torch.rand(2, frames, height * net.multiple, width * net.multiple)
            logits = net(stack)
            assert logits.shape == (2, 1, *stack.shape[2:])
            assert torch.isfinite(logits).all()


@EVERY
def test_every_parameter_learns_and_every_frame_is_seen(name: str, frames: int) -> None:
    net = small(name, frames).train()
    stack = torch.rand(2, frames, 64, 96, requires_grad=True)
    net(stack).square().mean().backward()
    for parameter_name, parameter in net.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name
    assert stack.grad is not None
    assert (stack.grad.abs().sum((0, 2, 3)) > 0).all()


@EVERY
def test_the_facts_build_the_network_again_and_half_precision_hardly_changes_it(
    name: str, frames: int, tmp_path: Path
) -> None:
    net = small(name, frames)
    save_weights(net, tmp_path / "net.safetensors")
    again = Detector(**net.facts).eval()
    load_weights(again, tmp_path / "net.safetensors")
    assert all(tensor.dtype == torch.float16 for tensor in load_file(tmp_path / "net.safetensors").values())
    stack = torch.from_numpy(scene(frames, 64, 64, 9))[None]
    with torch.no_grad():
        before, after = torch.sigmoid(net(stack)), torch.sigmoid(again(stack))
    assert (after - before).abs().mean() < 0.03
    assert before.std() > 0.05
    # Once rounded, nothing is lost by writing again.
    save_weights(again, tmp_path / "again.safetensors")
    assert (tmp_path / "net.safetensors").read_bytes() == (tmp_path / "again.safetensors").read_bytes()


def test_variances_beyond_half_precision_are_scaled_down_with_their_kernels(tmp_path: Path) -> None:
    """As long trainings leave them."""
    net = small("compact", 1)
    conv, norm = net.net.merge[0][0][0], net.net.merge[0][0][1]  # type: ignore[index, union-attr]
    with torch.no_grad():
        scale = (200_000 / norm.running_var.max()).sqrt()  # type: ignore[union-attr, operator]
        for tensor, factor in ((conv.weight, scale), (norm.running_mean, scale), (norm.running_var, scale**2)):
            tensor.mul_(factor)  # type: ignore[union-attr, operator]
        kept = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        stack = torch.from_numpy(scene(1, 64, 64, 9))[None]
        before = torch.sigmoid(net(stack))
    save_weights(net, tmp_path / "net.safetensors")
    assert all(torch.equal(tensor, kept[name]) for name, tensor in net.state_dict().items())
    again = Detector(**net.facts).eval()
    load_weights(again, tmp_path / "net.safetensors")
    with torch.no_grad():
        after = torch.sigmoid(again(stack))
    assert (after - before).abs().mean() < 0.03
    assert before.std() > 0.05


@EVERY
def test_nothing_beyond_its_reach_changes_the_output(name: str, frames: int) -> None:
    net = small(name, frames)
    margin = reach(net)
    if name == "segformer":
        assert margin is None
        return
    assert margin is not None
    assert margin % net.multiple == 0
    stack, other = (torch.from_numpy(scene(frames, 4 * net.multiple, 4 * margin, n))[None] for n in range(2))
    other[..., 2 * margin :] = stack[..., 2 * margin :]
    with torch.no_grad():
        change = (net(stack) - net(other)).abs()[0, 0].amax(0)
        # Cut off there, as a tile is: the same beyond the margin.
        tile = (net(stack[..., 2 * margin :]) - net(stack)[..., 2 * margin :]).abs()[0, 0].amax(0)
    assert change[3 * margin :].max() < 1e-3
    assert tile[margin:].max() < 1e-3
    assert change[2 * margin : 2 * margin + 4].max() > 1e-2


def test_reach_of_one_convolution_and_of_a_net_worked_out_by_hand() -> None:
    # Two 3 x 3 convolutions reach 2 pixels beyond the edge, which is one cell of half size; two more reach 3 cells,
    # which are 6 pixels; the one after enlarging and the two of merging make 9. Rounded up to the multiple of 2.
    net = Detector("unet", 1, sizes={"width": 4, "depth": 1})
    assert reach(net) == 10


@pytest.mark.parametrize("how", ["missing", "left over", "shape"])
def test_weights_that_are_not_the_networks_are_refused(how: str, tmp_path: Path) -> None:
    net = small("unet", 1)
    path = tmp_path / "net.safetensors"
    save_weights(net, path)
    tensors = load_file(path)
    if how == "missing":
        del tensors["net.head.bias"]
    elif how == "left over":
        tensors["net.head.more"] = torch.zeros(1, dtype=torch.float16)
    else:
        tensors["net.head.bias"] = torch.zeros(2, dtype=torch.float16)
    save_file(tensors, path)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(ValueError, match=rf"net\.head.*{how}"):
        load_weights(net, path)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


def test_a_file_that_is_no_safetensors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"not weights at all")
    with pytest.raises(ValueError, match="not a safetensors file"):
        load_weights(small("unet", 1), path)


def test_weights_beyond_half_precision_are_refused(tmp_path: Path) -> None:
    net = small("unet", 1)
    with torch.no_grad():
        next(net.parameters()).fill_(1e6)
    with pytest.raises(ValueError, match="does not fit half precision"):
        save_weights(net, tmp_path / "net.safetensors")


@pytest.mark.parametrize(
    ("facts", "wrong"),
    [
        ({"net": "resnet"}, "no network is called resnet"),
        ({"net": "unet", "frames": 5, "features": "still"}, "do not fit 5 frames"),
        ({"net": "unet", "frames": 1, "features": "ranked"}, "do not fit 1 frames"),
        ({"net": "unet", "sizes": {"depths": 3}}, "has no sizes"),
        ({"net": "unet", "sizes": {"block": "square"}}, "has no sizes"),
    ],
)
def test_what_cannot_be_built_is_said(facts: dict[str, object], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        Detector(**facts)  # type: ignore[arg-type]


def test_features_say_what_the_centre_has_that_its_neighbours_have_not() -> None:
    stack = torch.full((1, 5, 2, 2), 0.4)
    stack[0, 2] = 0.5
    stack[0, 0, 0, 0] = 0.9
    stack[0, 0, 1, 1] = 0.1
    ranked = FEATURES["ranked"][0](stack)
    torch.testing.assert_close(ranked[0, 5], torch.tensor([[0.4, -0.1], [-0.1, -0.4]]))
    torch.testing.assert_close(ranked[0, 6], torch.tensor([[-0.5, 0.0], [0.0, 0.3]]))
    residuals = FEATURES["residuals"][0](stack)
    torch.testing.assert_close(residuals[0, 5, 0, 0], torch.tensor(0.5))
    for function, channels in FEATURES.values():
        assert function(stack).shape[1] == channels(5)


def test_half_the_width_is_a_parameter() -> None:
    whole, half = (
        sum(one.numel() for one in Detector("unet", 1, sizes={"width": width, "depth": 2}).parameters())
        for width in (16, 8)
    )
    assert 3.5 < whole / half < 4.1


def test_segformer_b0_is_its_size() -> None:
    # Xie et al. (2021), table 1: 3.8 million parameters, 0.4 of which decode 150 classes; here one.
    assert sum(one.numel() for one in Detector("segformer", 1).parameters()) == pytest.approx(3.7e6, rel=0.03)


def test_the_names_of_the_test_sizes_are_those_of_the_zoo() -> None:
    assert SIZES.keys() == NETS.keys()
