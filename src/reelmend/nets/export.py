"""A trained network as two files: half-precision safetensors, the one copy of the weights, and a graph that points
into it.

The graph is ONNX whose initializers are external data (location, offset, length) inside the safetensors file, as
half floats that a Cast widens; ONNX Runtime and OpenVINO do that once, on loading.
"""

from __future__ import annotations

import copy
import io
import json
import math
import struct
import warnings
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from reelmend.nets.zoo import Exportable

OPSET = 18
"""Resize and the reductions that the nets use are the same from here on; older runtimes read it too."""

IR_VERSION = 10
"""ONNX Runtime 1.20 reads up to 10."""


LARGEST_VARIANCE = 2.0**14
"""Of a normalisation's statistics, as they are kept: half precision ends at 65,504."""


def save_weights(net: torch.nn.Module, path: Path) -> None:
    """Write a network's weights and statistics in half precision; counters are left out, they serve training only.

    Where a variance is too large for that, its convolution's kernel is scaled down with it, which changes nothing: what
    follows is normalised. Raises ValueError when another number does not fit half precision.
    """
    tensors = {}
    for name, tensor in _evened(net).state_dict().items():
        if not tensor.is_floating_point():
            continue
        half = tensor.detach().to("cpu", torch.float16).contiguous()
        if not torch.isfinite(half).all():
            raise ValueError(f"{name} does not fit half precision")
        tensors[name] = half
    save_file(tensors, str(path))


@torch.no_grad()
def _evened(net: torch.nn.Module) -> torch.nn.Module:
    """A copy that computes the same with variances that fit half precision.

    A long training lets kernels grow before a normalisation, which hides it.
    """
    net = copy.deepcopy(net)
    for conv, norm in _normalised(net):
        mean, variance = norm.running_mean, norm.running_var
        if mean is not None and variance is not None and variance.max() > LARGEST_VARIANCE:
            # A power of two leaves the kernel's digits as they are.
            scale = 2.0 ** math.ceil(math.log2(float(variance.max()) / LARGEST_VARIANCE) / 2)
            conv.weight.div_(scale)
            mean.div_(scale)
            variance.div_(scale**2)
    return net


def _normalised(net: torch.nn.Module) -> list[tuple[torch.nn.Conv2d, torch.nn.BatchNorm2d]]:
    """Convolutions without a bias, each with the normalisation that alone sees what they give."""
    rows = [list(one.children()) for one in net.modules() if isinstance(one, torch.nn.Sequential)]
    return [
        (conv, norm)
        for row in rows
        for conv, norm in pairwise(row)
        if isinstance(conv, torch.nn.Conv2d) and conv.bias is None and isinstance(norm, torch.nn.BatchNorm2d)
    ]


def load_weights(net: torch.nn.Module, path: Path, fresh: Sequence[str] = ()) -> None:
    """Read weights that `save_weights` wrote into a network of the same build.

    Parts of the network whose names begin with one of `fresh` stay what they are, and are not in the file. Raises
    ValueError when the file is none, or a tensor is missing, left over or of another shape.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        given = {name: tensor.float() for name, tensor in load_file(str(path)).items()}
    except SafetensorError as error:
        raise ValueError(f"{path} is not a safetensors file ({error})") from error
    own = net.state_dict()
    wanted = {
        name: tensor.shape
        for name, tensor in own.items()
        if tensor.is_floating_point() and not name.startswith(tuple(fresh))
    }
    found = {name: tensor.shape for name, tensor in given.items()}
    if wanted != found:
        odd = min(wanted.items() ^ found.items())[0]
        how = "is missing" if odd not in found else "is left over" if odd not in wanted else "has another shape"
        raise ValueError(f"{path} does not hold this network: {odd} {how}")
    net.load_state_dict(own | given)


def tensor_places(path: Path) -> dict[str, tuple[int, int]]:
    """Offset and length in bytes of every tensor of a safetensors file, counted from the start of the file."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    start = 8 + length
    return {
        name: (start + facts["data_offsets"][0], facts["data_offsets"][1] - facts["data_offsets"][0])
        for name, facts in header.items()
        if name != "__metadata__"
    }


def export_graph(net: Exportable, weights: Path, path: Path) -> None:
    """Write the ONNX graph of a network whose weights lie in `weights`, which must stay in the same folder.

    Input `stack` `(b, planes, h, w)`, output `answer`, what `net.answer` gives; b, h and w are dynamic. Raises
    ValueError when `weights` does not hold exactly the tensors that the graph needs.
    """
    import onnx

    model = _traced(net)
    places = tensor_places(weights)
    nodes: list[Any] = []
    constants, kept = [], []
    used = {name for node in model.graph.node for name in node.input}
    for initializer in model.graph.initializer:
        name = initializer.name.removeprefix("net.")
        if name not in places:
            kept.append(initializer)
            continue
        if initializer.name not in used:
            continue
        offset, length = places[name]
        half = onnx.TensorProto(name=name, data_type=onnx.TensorProto.FLOAT16, dims=initializer.dims)
        half.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", weights.name), ("offset", offset), ("length", length)):
            half.external_data.add(key=key, value=str(value))
        constants.append(half)
        nodes.append(onnx.helper.make_node("Cast", [name], [initializer.name], to=onnx.TensorProto.FLOAT))
    missing = places.keys() - {one.name for one in constants}
    if missing:
        raise ValueError(f"the graph does not use {min(missing)} of {weights}")
    nodes += model.graph.node
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept + constants)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.ir_version = IR_VERSION
    path.write_bytes(model.SerializeToString(deterministic=True))


class _Answer(torch.nn.Module):
    def __init__(self, net: Exportable) -> None:
        super().__init__()
        self.net = net

    def forward(self, stack: torch.Tensor) -> torch.Tensor:
        return self.net.answer(stack)


def _traced(net: Any) -> Any:
    """The network as an ONNX model whose initializers carry the names of the state dict, after `net.`."""
    import onnx

    net = copy.deepcopy(net).cpu().float().eval()
    # The exporter makes one initializer of equal tensors; here every tensor must keep its own name, and its values do
    # not matter.
    for tensor in net.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape) + 0.5)
    # Different for height and width, and no size that the network could mistake for a constant.
    stack = torch.rand(2, net.planes, 3 * net.multiple, 5 * net.multiple)
    sizes = {0: "batch", 2: "height", 3: "width"}
    file = io.BytesIO()
    with warnings.catch_warnings():
        # The tracing exporter: the one that torch prefers since 2.9 takes fifty times as long for the same graph and
        # folds weights into constants of its own.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Answer(net),
            (stack,),
            file,  # type: ignore[arg-type]
            dynamo=False,
            input_names=["stack"],
            output_names=["answer"],
            dynamic_axes={"stack": sizes, "answer": sizes},
            opset_version=OPSET,
            # No weight is folded into another: they stay as the file has them, runtimes fold them on loading.
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,
        )
    model = onnx.load_model_from_string(file.getvalue())
    onnx.checker.check_model(model)
    _shorten(model.graph)
    return model


def _shorten(graph: Any) -> None:
    """Numbers for what the exporter named after modules, and nothing of the machine that exported it."""
    kept = {one.name for one in (*graph.initializer, *graph.input, *graph.output)} | {""}
    short: dict[str, str] = {}
    for node in graph.node:
        node.name = node.doc_string = ""
        for names in (node.input, node.output):
            for n, name in enumerate(names):
                if name not in kept:
                    names[n] = short.setdefault(name, str(len(short)))
