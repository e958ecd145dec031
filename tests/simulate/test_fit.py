"""Fits find the numbers that made the data."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from reelmend.errors import UsageError
from reelmend.simulate.fit.acceptance import logistic
from reelmend.simulate.fit.annotated import mask_of
from reelmend.simulate.fit.blobs import FIELD, field_of, fit_blobs, laid_alike
from reelmend.simulate.fit.counts import fit_count
from reelmend.simulate.fit.fit import fit_statistics, scan_mm2
from reelmend.simulate.fit.measure import measure_all
from reelmend.simulate.fit.mixture import fit_mixture
from reelmend.simulate.fit.space import fit_space, nearest_distances
from reelmend.simulate.kinds.blob import BlobModel, field_index
from reelmend.simulate.outlines import MICROMETRES_PER_PIXEL, SCAN_SIZE, Outline, polygon_area
from reelmend.simulate.space import sample_process
from reelmend.simulate.statistics import Space, Statistics


def speck(rng: np.random.Generator, size: float = 8.0) -> np.ndarray:
    """A rounded box on whole pixels, larger ones longer, `(n, 2)` pixels."""
    side = size * np.exp(rng.normal(0, 0.3))
    width, height = np.maximum(np.rint(side * np.array([max(side / size, 1.0), 1.0])), 5)
    cut = np.minimum(width, height) // 4
    box = [(cut, 0), (0, cut), (0, height), (width - cut, height), (width, height - cut), (width, 0)]
    corners = np.array(box, dtype=np.float64)
    return corners[:, ::-1] if rng.integers(2) else corners


def write_scan(path: Path, rng: np.random.Generator, count: int) -> None:
    entries = {}
    for index in range(count):
        place = rng.uniform((20, 20), (4900, 3350))
        points = [{"x": float(x), "y": float(y)} for x, y in np.rint(speck(rng) + place)]
        entries[str(index)] = {"label": {"name": "Dust"}, "points": points}
    path.write_text(json.dumps(entries))


def test_counts_and_their_dispersion_are_found() -> None:
    rng = np.random.default_rng(0)
    levels = rng.gamma(1 / 0.4, 0.4, 400)
    counts = rng.poisson(50 * levels)
    found = fit_count(counts.tolist(), [25.0] * 400)
    assert found.per_mm2 == pytest.approx(2, rel=0.08)
    assert found.dispersion == pytest.approx(0.4, rel=0.15)
    even = fit_count(rng.poisson(50, 400).tolist(), [25.0] * 400)
    assert even.dispersion < 0.002
    assert fit_count([7], [2.0]).dispersion == 0
    with pytest.raises(ValueError, match="one scan"):
        fit_count([], [])


def test_clusters_are_found_whatever_the_rate_of_a_scan() -> None:
    rng = np.random.default_rng(1)
    made = Space(clustered=0.8, members=10.0, radius=700.0)
    found = fit_space([sample_process(rng, made, rate, *SCAN_SIZE) for rate in (4e-7, 8e-7, 1.2e-6)])
    assert found.clustered * found.members == pytest.approx(8, rel=0.3)
    assert found.radius == pytest.approx(700, rel=0.2)
    assert found.clustered >= 0.4


def test_evenly_strewn_points_are_not_clustered() -> None:
    rng = np.random.default_rng(2)
    even = Space(clustered=0.0, members=0.0, radius=0.0)
    assert fit_space([sample_process(rng, even, 6e-7, *SCAN_SIZE) for _ in range(3)]).clustered == 0
    assert fit_space([]).clustered == 0


def test_nearest_distances_of_a_lattice() -> None:
    lattice = np.stack(np.meshgrid(np.arange(4.0) * 3, np.arange(4.0) * 5), axis=-1).reshape(-1, 2)
    np.testing.assert_allclose(nearest_distances(lattice), 3)
    assert len(nearest_distances(lattice[:1])) == 0


def test_a_mixture_finds_its_parts() -> None:
    rng = np.random.default_rng(3)
    data = np.concatenate([rng.normal((0, 0), 0.5, (900, 2)), rng.normal((5, 1), (0.3, 1.0), (300, 2))])
    mixture = fit_mixture(data, 2, np.full(2, 1e-6))
    order = np.argsort(mixture.centres[:, 0])
    np.testing.assert_allclose(mixture.weights[order], (0.75, 0.25), atol=0.01)
    np.testing.assert_allclose(mixture.centres[order], [(0, 0), (5, 1)], atol=0.12)
    np.testing.assert_allclose(np.sqrt(mixture.covariances[order][1].diagonal()), (0.3, 1.0), rtol=0.15)


def test_masks_are_laid_flat_and_never_mirrored() -> None:
    hook = np.array([[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 1, 1]], dtype=np.uint8)
    for turns in range(4):
        np.testing.assert_array_equal(laid_alike(np.pad(np.rot90(hook, turns), 2)), hook)
    assert not np.array_equal(laid_alike(hook[::-1]), hook)


def test_a_field_finds_its_mask_again() -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        mask = laid_alike(mask_of(speck(rng))[0])
        rows, columns = mask.shape
        x, y = (field_index((np.arange(count) + 0.5) / count, FIELD) for count in (columns, rows))
        read = cv2.remap(field_of(mask).astype(np.float32), *np.meshgrid(x, y), interpolation=cv2.INTER_CUBIC)
        assert np.mean((read > 0) == (mask > 0)) > 0.97


def test_a_ridge_regression_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(8)
    terms = rng.normal(size=(400, 5))
    truth = (terms @ [1.0, -2.0, 0.0, 0.5, 0.0] + rng.normal(size=400) > 0.5).astype(float)
    theirs = LogisticRegression(C=1 / 3.0, tol=1e-8, max_iter=500).fit(terms, truth)
    np.testing.assert_allclose(logistic(terms, truth, ridge=3.0), theirs.coef_[0], atol=1e-4)


def test_blobs_keep_sizes_and_the_tie_of_size_and_shape() -> None:
    rng = np.random.default_rng(4)
    outlines = [Outline("dust", (speck(rng) * MICROMETRES_PER_PIXEL,)).centred() for _ in range(400)]
    shape = fit_blobs(outlines, [MICROMETRES_PER_PIXEL] * 400)
    model = BlobModel(shape)
    samples = [model.sample(rng, "dust") for _ in range(400)]
    real, ours = measure_all(outlines), measure_all(samples)
    for name, tolerance in (("area", 0.25), ("length", 0.15), ("width", 0.15)):
        np.testing.assert_allclose(
            np.percentile(ours[name], [10, 50, 90]), np.percentile(real[name], [10, 50, 90]), rtol=tolerance
        )
    for measures in (real, ours):
        large = measures["area"] > np.median(measures["area"])
        assert np.median(measures["elongation"][large]) > np.median(measures["elongation"][~large]) + 0.2
    assert min(polygon_area(one.parts[0]) for one in samples) >= shape["area"][0] * MICROMETRES_PER_PIXEL**2 - 1e-6
    corners = np.concatenate([np.diff(one.parts[0], axis=0) for one in samples]) / MICROMETRES_PER_PIXEL
    np.testing.assert_allclose(corners, np.rint(corners), atol=1e-9)
    coarse = [polygon_area(model.sample(rng, "dust", 2 * MICROMETRES_PER_PIXEL).parts[0]) for _ in range(150)]
    assert np.median(coarse) == pytest.approx(4 * np.median(real["area"]), rel=0.3)
    np.testing.assert_allclose(samples[0].centred().parts[0], samples[0].parts[0], atol=1e-9)


@pytest.mark.parametrize(
    "broken", [{"weights": [1.0]}, {"mean": [[1.0, 2.0]]}, {"sizes": [3.0, 2.0]}, {"area": [5, 1]}]
)
def test_a_shape_that_does_not_hold_together_is_refused(broken: dict[str, object]) -> None:
    shape = dict(Statistics.load().kinds["dust"].shape)
    with pytest.raises(UsageError, match="no model of a blob"):
        BlobModel({**shape, **broken})


def test_annotations_become_statistics(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    paths = [tmp_path / f"scan_{index}.json" for index in (21, 22, 23)]
    for path, count in zip(paths, (40, 60, 80), strict=True):
        write_scan(path, rng, count)
    all_scans = fit_statistics(paths)
    assert all_scans.as_json() == fit_statistics(paths[::-1]).as_json()
    assert set(all_scans.kinds) == {"dust"}
    assert all_scans.kinds["dust"].count.per_mm2 == pytest.approx(180 / (3 * scan_mm2()))
    without = fit_statistics(paths, leave_out=["scan_23"])
    assert without.scans == ["scan_21", "scan_22"]
    assert without.kinds["dust"].count.per_mm2 == pytest.approx(100 / (2 * scan_mm2()))
    without.save(tmp_path / "statistics.json")
    again = Statistics.load(tmp_path / "statistics.json")
    assert BlobModel(again.kinds["dust"].shape).sample(rng, "dust").kind == "dust"


def test_bad_annotations_are_the_callers_mistake(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    write_scan(tmp_path / "scan_31.json", rng, 5)
    with pytest.raises(UsageError, match="give more scans"):
        fit_statistics([tmp_path / "scan_31.json"])
    with pytest.raises(UsageError, match="scan_9 is to be left out"):
        fit_statistics([tmp_path / "scan_31.json"], leave_out=["scan_9"])
    with pytest.raises(UsageError, match="named scan_31"):
        fit_statistics([tmp_path / "scan_31.json", tmp_path / "other" / "scan_31.json"])
    with pytest.raises(UsageError, match="cannot read"):
        fit_statistics([tmp_path / "scan_32.json"])
    (tmp_path / "scan_33.json").write_text(
        '{"0": {"label": {"name": "Dust"}, "points": [{"x": NaN, "y": 1}, {"x": 2, "y": 5}, {"x": 7, "y": 1}]}}'
    )
    with pytest.raises(UsageError, match="not an annotation"):
        fit_statistics([tmp_path / "scan_33.json"])
