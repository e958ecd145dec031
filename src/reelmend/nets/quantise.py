"""A graph that computes in 8-bit integers, over the same weights file as the one that computes in floats.

Convolutions take unsigned 8-bit activations and signed 8-bit weights, one scale for each output channel, as ONNX writes
it (QuantizeLinear and DequantizeLinear around the operator: "QDQ"); runtimes fuse the three. How far activations reach
is measured on given pictures, and is the mean of how far they reach on each: for one that reaches farther than all
others every step would be coarser. Weights stay half floats in their file: folding the batch norm into them and
rounding is part of the graph, of constants alone, so runtimes do it once, on loading. Convolutions that look at the
picture itself, where differences of a few codes count, and those whose answer becomes the probability stay in floats;
what the latter are shown is rounded too.

The arithmetic is that of Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-
only inference" (CVPR 2018), without training for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Range = tuple[float, float]
"""Lowest and highest value of an activation; 0 lies within."""

Floats = NDArray[np.float32]

MOVING = ("Resize", "DepthToSpace")
"""Operators whose result reaches no farther than what they are shown."""


def quantise(graph: Path, path: Path, stacks: Iterable[Floats]) -> None:
    """Write at `path` the 8-bit form of a graph that `export_graph` wrote, in the same folder.

    `stacks` `(b, planes, h, w)` float32 0..1 are pictures as the network will meet them: they say how far activations
    reach. Raises ValueError where there are none, or no convolution lies between others.
    """
    import onnx

    model = onnx.load(str(graph), load_external_data=False)
    whole = onnx.load(str(graph))
    rewriting = _Rewriting(whole)
    ranges = _reach(whole, rewriting.measured, stacks)
    nodes = rewriting.nodes(ranges)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(rewriting.constants)
    _shorten(model.graph)
    path.write_bytes(model.SerializeToString(deterministic=True))
    onnx.checker.check_model(str(path))


def _reach(model: Any, names: Iterable[str], stacks: Iterable[Floats]) -> dict[str, Range]:
    """How far each of these activations reaches in one of the stacks, on average."""
    import onnx
    import onnxruntime

    seen = onnx.ModelProto()
    seen.CopyFrom(model)
    wanted = sorted(set(names) - {one.name for one in seen.graph.output})
    seen.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in wanted)
    session = onnxruntime.InferenceSession(seen.SerializeToString(), providers=["CPUExecutionProvider"])
    lows: dict[str, list[float]] = {name: [] for name in wanted}
    highs: dict[str, list[float]] = {name: [] for name in wanted}
    for stack in stacks:
        for name, values in zip(wanted, session.run(wanted, {"stack": stack}), strict=True):
            lows[name].append(min(0.0, float(values.min())))
            highs[name].append(max(0.0, float(values.max())))
    if not all(lows.values()):
        raise ValueError("no pictures to measure activations on")
    return {name: (float(np.mean(lows[name])), float(np.mean(highs[name]))) for name in wanted}


class _Rewriting:
    """The nodes of a graph, those of its convolutions in between replaced."""

    def __init__(self, model: Any) -> None:
        """`model` holds its weights."""
        import onnx

        self._onnx = onnx
        self._graph = model.graph
        self._constants: dict[str, Any] = {}
        self._weights = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
        for node in model.graph.node:
            # What weights are widened by.
            if node.op_type == "Cast" and node.input[0] in self._weights:
                self._weights[node.output[0]] = self._weights[node.input[0]].astype(np.float32)
        self._users: dict[str, list[Any]] = {}
        for node in model.graph.node:
            for name in node.input:
                self._users.setdefault(name, []).append(node)
        between, last = _between(model.graph)
        self._last = {id(node) for node in last}
        self._blocks = {id(node): _Block(node, self._users) for node in between}
        if not self._blocks:
            raise ValueError("a network without convolutions between the first and the last keeps its floats")
        in_blocks = {name for block in self._blocks.values() for name in (block.conv.input[0], block.output)}
        self.measured = in_blocks | {node.input[0] for node in last}
        """Activations whose range must be known."""
        self._rounded: set[str] = set()

    @property
    def constants(self) -> list[Any]:
        """Steps and zero points, as initializers of the new graph."""
        return list(self._constants.values())

    def nodes(self, ranges: dict[str, Range]) -> list[Any]:
        """All nodes of the new graph, in order."""
        out: list[Any] = []
        replaced = {id(node) for block in self._blocks.values() for node in block.nodes}
        for node in self._graph.node:
            if id(node) in self._blocks:
                out += self._block(self._blocks[id(node)], ranges)
            elif id(node) not in replaced:
                if id(node) in self._last:
                    # The sum that it is shown is then one of whole numbers.
                    out += self._round(node.input[0], ranges[node.input[0]])
                out.append(self._copy(node))
                if node.op_type in MOVING and node.input[0] in self._rounded:
                    ranges[node.output[0]] = ranges[node.input[0]]
                    out += self._round(node.output[0], ranges[node.output[0]])
        return out

    def _copy(self, node: Any) -> Any:
        copied = self._onnx.NodeProto()
        copied.CopyFrom(node)
        for n, name in enumerate(copied.input):
            if name in self._rounded:
                copied.input[n] = f"{name}~"
        return copied

    def _block(self, block: _Block, ranges: dict[str, Range]) -> list[Any]:
        """Convolution, norm and rectifier, from rounded activations to rounded activations."""
        make = self._onnx.helper.make_node
        shown, key = block.conv.input[0], f"{block.conv.output[0]}/"
        kernel, shift, folding = self._folded(block, key)
        steps = np.abs(kernel).reshape(len(kernel), -1).max(axis=1).clip(1e-12) / 127
        step = self._constant(f"{key}s", steps.astype(np.float32))
        zeros = self._zeros(len(kernel))
        out = [*self._round(shown, ranges[shown]), *folding]
        out += [
            make("QuantizeLinear", [f"{key}kernel", step, zeros], [f"{key}k8"], axis=0),
            make("DequantizeLinear", [f"{key}k8", step, zeros], [f"{key}k~"], axis=0),
        ]
        inputs = [f"{shown}~", f"{key}k~"]
        if shift:
            out += [
                make("Mul", [step, f"{shown}~s"], [f"{key}bs"]),
                make("Div", [shift, f"{key}bs"], [f"{key}b"]),
                make("Round", [f"{key}b"], [f"{key}br"]),
                make("Cast", [f"{key}br"], [f"{key}b32"], to=self._onnx.TensorProto.INT32),
                make("DequantizeLinear", [f"{key}b32", f"{key}bs"], [f"{key}b~"], axis=0),
            ]
            inputs.append(f"{key}b~")
        conv = self._onnx.NodeProto()
        conv.CopyFrom(block.conv)
        del conv.input[:]
        conv.input.extend(inputs)
        conv.output[0] = block.output
        out.append(conv)
        if block.rectifier is not None:
            conv.output[0] = f"{key}y"
            out.append(make("Relu", conv.output, [block.output]))
        return out + self._round(block.output, ranges[block.output])

    def _round(self, name: str, reach: Range) -> list[Any]:
        """Nodes that make `name~` of an activation, the same in 8 bits; none where it is there already."""
        if name in self._rounded:
            return []
        self._rounded.add(name)
        step, zero = _step(*reach)
        place = [self._constant(f"{name}~s", np.float32(step)), self._constant(f"{name}~0", np.uint8(zero))]
        make = self._onnx.helper.make_node
        return [
            make("QuantizeLinear", [name, *place], [f"{name}~8"]),
            make("DequantizeLinear", [f"{name}~8", *place], [f"{name}~"]),
        ]

    def _folded(self, block: _Block, key: str) -> tuple[Floats, str, list[Any]]:
        """The kernel with the norm folded in; the name of the bias that goes with it, empty for none; the nodes that
        make both of the weights, the kernel as `KEY/kernel`."""
        make = self._onnx.helper.make_node
        given, bias = block.conv.input[1], "".join(block.conv.input[2:])
        kernel = self._weights[given]
        if block.norm is None:
            return kernel, bias, [make("Identity", [given], [f"{key}kernel"])]
        gamma, beta, mean, variance = block.norm.input[1:5]
        epsilon = next((one.f for one in block.norm.attribute if one.name == "epsilon"), 1e-5)
        self._constant(f"{key}e", np.float32(epsilon))
        centred = f"{key}centred"
        nodes = [
            make("Add", [variance, f"{key}e"], [f"{key}v"]),
            make("Sqrt", [f"{key}v"], [f"{key}d"]),
            make("Div", [gamma, f"{key}d"], [f"{key}g"]),
            make("Reshape", [f"{key}g", self._column()], [f"{key}gc"]),
            make("Mul", [given, f"{key}gc"], [f"{key}kernel"]),
            make("Sub", [bias, mean], [centred]) if bias else make("Neg", [mean], [centred]),
            make("Mul", [centred, f"{key}g"], [f"{key}m"]),
            make("Add", [f"{key}m", beta], [f"{key}shift"]),
        ]
        gain = self._weights[gamma] / np.sqrt(self._weights[variance] + np.float32(epsilon))
        return kernel * gain[:, None, None, None], f"{key}shift", nodes

    def _zeros(self, channels: int) -> str:
        """The name of the zero points of a kernel."""
        return self._constant(f"zeros{channels}", np.zeros(channels, np.int8))

    def _column(self) -> str:
        """The name of the shape that makes a vector one of output channels."""
        return self._constant("column", np.array([-1, 1, 1, 1], np.int64))

    def _constant(self, name: str, value: Any) -> str:
        if name not in self._constants:
            self._constants[name] = self._onnx.numpy_helper.from_array(np.asarray(value), name)
        return name


def _between(graph: Any) -> tuple[list[Any], list[Any]]:
    """The convolutions that come after others and before others, and those that come after others and before none."""
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    behind: dict[str, bool] = {}
    """Whether an activation comes from a convolution."""
    for node in graph.node:
        passed = node.op_type == "Conv" or any(behind.get(name, False) for name in node.input)
        behind.update(dict.fromkeys(node.output, passed))
    ahead: dict[str, bool] = {}
    """Whether an activation goes into one."""
    for node in reversed(graph.node):
        comes = node.op_type == "Conv" or any(ahead.get(name, False) for name in node.output)
        ahead.update({name: comes or ahead.get(name, False) for name in node.input})
    after = [node for node in convolutions if behind.get(node.input[0], False)]
    between = [node for node in after if ahead.get(node.output[0], False)]
    return between, [node for node in after if not ahead.get(node.output[0], False)]


class _Block:
    """A convolution with the norm and the rectifier that follow it, where they do and nothing else looks between."""

    def __init__(self, conv: Any, users: dict[str, list[Any]]) -> None:
        self.conv, self.norm, self.rectifier = conv, None, None
        self.output: str = conv.output[0]
        """What leaves the block."""
        for kind, place in (("BatchNormalization", "norm"), ("Relu", "rectifier")):
            after = users.get(self.output, [])
            if len(after) == 1 and after[0].op_type == kind:
                setattr(self, place, after[0])
                self.output = after[0].output[0]

    @property
    def nodes(self) -> list[Any]:
        return [one for one in (self.conv, self.norm, self.rectifier) if one is not None]


def _shorten(graph: Any) -> None:
    """Numbers for the widened weights, whose names are long and many."""
    weights = {one.name for one in graph.initializer}
    short = {
        node.output[0]: f"w{n}"
        for n, node in enumerate(graph.node)
        if node.op_type == "Cast" and node.input[0] in weights
    }
    for node in graph.node:
        for names in (node.input, node.output):
            for n, name in enumerate(names):
                names[n] = short.get(name, name)


def _step(low: float, high: float) -> tuple[float, int]:
    """Step and zero point of an unsigned 8-bit activation that reaches from `low` to `high`."""
    step = max(high - low, 1e-6) / 255
    return step, int(np.clip(round(-low / step), 0, 255))
