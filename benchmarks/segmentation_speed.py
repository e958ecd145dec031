"""How long a grid of 64 x 64 nodes takes to be fully segmented, where the time goes, and other people's cuts beside it.

python -m benchmarks.segmentation_speed PHOTOGRAPH [--device cuda] [--model NAME] [--peers FOLDER]

The walk is that of a model where one is named, else a walk of colours. `--peers` is a folder that ncut-pytorch is
installed in (pip install --target).
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import scipy.sparse.linalg
import torch
from torch import Tensor

from benchmarks.segmentation_methods import colour_walker
from reelmend.segment.affinity import affinity
from reelmend.segment.cuts import best_threshold, bipartition, cost
from reelmend.segment.eigen import second_vector
from reelmend.segment.files import read_picture
from reelmend.segment.models import load_model
from reelmend.segment.run import Options, Walker, as_picture, cut, walk_of
from reelmend.segment.walk import flow, power, stationary

T = TypeVar("T")


def timed(name: str, action: Callable[[], T]) -> T:
    """The result, after its time was printed."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    began = time.perf_counter()
    result = action()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    print(f"{name:<46} {time.perf_counter() - began:8.2f} s", flush=True)
    return result


def whole(walker: Walker, picture: np.ndarray) -> None:
    """Every affinity, from the walk to pixels."""
    nodes = walker.grid[0] * walker.grid[1]
    for kind in ("attention", "features", "combined"):
        for k in (1, 4):
            options = Options(affinity=kind, walk=k)  # type: ignore[arg-type]
            tree = timed(f"{nodes} nodes, {kind}, k = {k}", lambda one=options: cut(walker, picture, one))  # type: ignore[misc]
            print(f"{'':<46} {len(tree.regions)} regions of a tree of {len(tree.nodes)}")


def parts(walk: Tensor) -> None:
    """The steps of one cut."""
    timed("stationary distribution", lambda: stationary(walk))
    timed("walk of 4 steps", lambda: power(walk, 4))
    moving = flow(walk)
    timed("rows compared (cosine)", lambda: affinity(walk, "features"))
    vector = timed("second eigenvector", lambda: second_vector(moving))
    timed("all thresholds", lambda: best_threshold(moving, vector))


def solvers(moving: Tensor) -> None:
    """Eigensolvers on one matrix: seconds, and the NCut of the best threshold."""
    scale = moving.sum(dim=1, dtype=torch.float64).rsqrt()
    matrix = (moving.double() * scale[:, None] * scale[None, :]).float()

    def arpack() -> Tensor:
        return torch.from_numpy(scipy.sparse.linalg.eigsh(matrix.numpy(), k=2, tol=1e-4)[1][:, 0]).double()

    def lobpcg() -> Tensor:
        start = torch.randn(len(matrix), 2, generator=torch.Generator().manual_seed(0))
        start[:, 0] = (1 / scale).float()
        return torch.lobpcg(matrix, k=2, X=start, niter=300, tol=1e-4, largest=True)[1][:, 1].double()

    def dense() -> Tensor:
        vectors: Tensor = torch.linalg.eigh(matrix)[1]
        return vectors[:, -2].double()

    for name, solve in (("Lanczos, ours", lambda: second_vector(moving) / scale), ("ARPACK", arpack),
                        ("LOBPCG", lobpcg), ("dense", dense)):  # fmt: skip
        split = best_threshold(moving, timed(f"{len(moving)} nodes, {name}", solve) * scale)
        print(f"{'':<46} NCut {split.cost if split else float('nan'):.6f}")


def scikit_image(walker: Walker) -> None:
    """One graph, cut in two by both: scikit-image tries ten thresholds along its vector."""
    from skimage.graph import RAG, _ncut
    from skimage.graph import _graph_cut as theirs

    moving = flow(walker.walk)
    count = len(moving)
    split = timed(f"{count} nodes, ours, one cut", lambda: bipartition(moving))
    assert split is not None

    def cut_in_two() -> tuple[float, Tensor]:
        graph = RAG()
        graph.add_nodes_from((n, {"labels": [n]}) for n in range(count))
        rows, columns = np.triu_indices(count)
        graph.add_weighted_edges_from(zip(rows, columns, moving.numpy()[rows, columns].astype(float), strict=True))
        degrees, weights = _ncut.DW_matrices(graph)
        scaled = degrees.copy()
        scaled.data = 1 / np.sqrt(scaled.data)
        values, vectors = scipy.sparse.linalg.eigsh(scaled @ (degrees - weights) @ scaled, which="SM", k=3)
        vector = vectors[:, np.argsort(values)[1]]
        mask, value = theirs.get_min_ncut(vector, degrees, weights, 10)
        return float(value), torch.from_numpy(np.asarray(mask))

    value, inside = timed(f"{count} nodes, scikit-image, one cut", cut_in_two)
    print(f"NCut ours {split.cost:.6f}, scikit-image {value:.6f} (by our count {cost(moving, inside):.6f})")


def ncut_pytorch(walker: Walker, folder: Path) -> None:
    """Its plain NCut of the same graph, cut at the best threshold of its vector."""
    sys.path.append(str(folder))
    from ncut_pytorch.ncuts.ncut_nystrom import _plain_ncut  # type: ignore[import-not-found]

    moving = flow(walker.walk)
    split = timed(f"{len(moving)} nodes, ours, one cut", lambda: bipartition(moving))
    vectors = timed(f"{len(moving)} nodes, ncut-pytorch, eigenvectors", lambda: _plain_ncut(moving, 2))[0]
    theirs = best_threshold(moving, vectors[:, 1].double())
    assert split is not None and theirs is not None
    print(f"NCut ours {split.cost:.6f}, ncut-pytorch {theirs.cost:.6f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photograph", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--model", default=None)
    parser.add_argument("--peers", type=Path, default=None)
    parser.add_argument("--no-solvers", action="store_true")
    options = parser.parse_args()
    image = read_picture(options.photograph)
    if options.model:
        model = load_model(options.model, options.device)
        walker = timed("model", lambda: walk_of(image, model, Options(side=2 * model.side)))
    else:
        walker = colour_walker(image, 64)
    walker = Walker(walker.walk.to(options.device), walker.grid, walker.hidden.to(options.device))
    parts(walker.walk)
    whole(walker, as_picture(image))
    print(f"highest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    if not options.no_solvers:
        solvers(flow(walker.walk).cpu())
    for side in (16, 24):
        scikit_image(colour_walker(image, side))
    if options.peers:
        ncut_pytorch(colour_walker(image, 32), options.peers)
        ncut_pytorch(colour_walker(image, 64), options.peers)


if __name__ == "__main__":
    main()
