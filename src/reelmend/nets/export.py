"""A trained network as two files: half-precision safetensors, the one copy of the weights, and a graph that points
into it.

The graph is ONNX whose initializers are external data (location, offset, length) inside the safetensors file, as
half floats that a Cast widens; ONNX Runtime and OpenVINO do that once, on loading.
"""

from __future__ import annotations

import json
import struct
import warnings
from pathlib import Path

import torch
from safetensors.torch import save_file

from reelmend.nets.zoo import Detector

OPSET = 18
"""Resize and the reductions that the nets use are the same from here on; older runtimes read it too."""

IR_VERSION = 10
"""ONNX Runtime 1.20 reads up to 10."""


def save_weights(net: torch.nn.Module, path: Path) -> None:
    """Write a network's weights and statistics in half precision; counters are left out, they serve training only.

    Raises ValueError when a number does not fit half precision.
    """
    tensors = {}
    for name, tensor in net.state_dict().items():
        if not tensor.is_floating_point():
            continue
        half = tensor.detach().to("cpu", torch.float16).contiguous()
        if not torch.isfinite(half).all():
            raise ValueError(f"{name} does not fit half precision")
        tensors[name] = half
    save_file(tensors, str(path))


def load_weights(net: torch.nn.Module, path: Path) -> None:
    """Read weights that `save_weights` wrote into a network of the same build.

    Raises ValueError when a tensor is missing, left over or of another shape.
    """
    from safetensors.torch import load_file

    given = {name: tensor.float() for name, tensor in load_file(str(path)).items()}
    own = net.state_dict()
    wanted = {name: tensor.shape for name, tensor in own.items() if tensor.is_floating_point()}
    found = {name: tensor.shape for name, tensor in given.items()}
    if wanted != found:
        odd = sorted(wanted.items() ^ found.items())[0][0]
        raise ValueError(f"{path} does not hold this network: {odd} differs")
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


def export_graph(net: Detector, weights: Path, path: Path) -> None:
    """Write the ONNX graph of a network whose weights lie in `weights`, which must stay in the same folder.

    Input `stack` `(b, frames, h, w)`, output `probability` `(b, 1, h, w)`; b, h and w are dynamic.
    """
    import onnx

    model = _traced(net)
    places = tensor_places(weights)
    casts, constants = [], []
    kept = []
    used = {name for node in model.graph.node for name in node.input}
    for initializer in model.graph.initializer:
        if initializer.name not in used:
            continue
        if initializer.name not in places:
            kept.append(initializer)
            continue
        offset, length = places[initializer.name]
        half = onnx.TensorProto(
            name=f"{initializer.name}.half", data_type=onnx.TensorProto.FLOAT16, dims=initializer.dims
        )
        half.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", weights.name), ("offset", offset), ("length", length)):
            half.external_data.add(key=key, value=str(value))
        constants.append(half)
        casts.append(onnx.helper.make_node("Cast", [half.name], [initializer.name], to=onnx.TensorProto.FLOAT))
    if len(constants) != len(places):
        raise ValueError(f"the graph uses {len(constants)} tensors of {weights.name}, which holds {len(places)}")
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept + constants)
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.value_info[:]
    model.ir_version = IR_VERSION
    path.write_bytes(model.SerializeToString(deterministic=True))


class _Probability(torch.nn.Module):
    def __init__(self, net: Detector) -> None:
        super().__init__()
        self.net = net

    def forward(self, stack: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.net(stack))


def _traced(net: Detector):  # type: ignore[no-untyped-def]
    """The network as an ONNX model whose initializers carry the names of the state dict."""
    import onnx
    import onnxscript.optimizer
    from onnxscript import ir

    # Not a size a net could mistake for a constant, and different for height and width.
    stack = torch.rand(2, net.frames, 3 * net.multiple, 5 * net.multiple)
    dynamic = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            _Probability(net.eval()),
            (stack,),
            dynamo=True,
            dynamic_shapes=({0: dynamic, 2: dynamic, 3: dynamic},),
            input_names=["stack"],
            output_names=["probability"],
            opset_version=OPSET,
            optimize=False,
            verbose=False,
        )
    assert program is not None
    # Constants are folded but no weights, which stay as the file has them: runtimes fold normalisation themselves.
    onnxscript.optimizer.fold_constants(program.model, input_size_limit=1, output_size_limit=64)
    model = ir.to_proto(program.model)
    onnx.checker.check_model(model)
    for initializer in model.graph.initializer:
        initializer.name = initializer.name.removeprefix("net.")
    for node in model.graph.node:
        for n, name in enumerate(node.input):
            node.input[n] = name.removeprefix("net.")
    # What describes where a node came from names files of this machine.
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    return model
