from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from reelmend.errors import UsageError
from reelmend.simulate.outlines import (
    GAUGE_HEIGHT,
    GAUGE_WIDTH,
    MICROMETRES_PER_PIXEL,
    Outline,
    polygon_area,
    read_annotations,
    read_placed,
    read_scans,
)
from reelmend.simulate.procedural import EXTENT, SHARE, flake, sample_outline, sample_outlines


def annotation(points: list[tuple[float, float]], name: str = "Dust") -> dict[str, object]:
    return {"points": [{"figure_id": None, "x": x, "y": y} for x, y in points], "label": {"id": 1, "name": name}}


def write(path: Path, *entries: dict[str, object]) -> None:
    path.write_text(json.dumps({str(index): entry for index, entry in enumerate(entries)}))


SQUARE = [(100.0, 200.0), (110.0, 200.0), (110.0, 220.0), (100.0, 220.0)]


def test_polygons_come_in_micrometres_and_centred(tmp_path: Path) -> None:
    write(tmp_path / "scan_1.json", annotation(SQUARE), annotation(SQUARE[:2] + SQUARE[:1], "Dirt"))
    (outline,) = read_annotations(tmp_path / "scan_1.json")
    assert outline.kind == "dust"
    assert outline.extent == pytest.approx((10 * MICROMETRES_PER_PIXEL, 20 * MICROMETRES_PER_PIXEL))
    np.testing.assert_allclose(outline.parts[0].mean(axis=0), 0, atol=1e-9)


@pytest.mark.parametrize("name", ["scan_8", "scan_10"])
def test_the_two_reduced_scans_are_scaled_back(tmp_path: Path, name: str) -> None:
    write(tmp_path / f"{name}.json", annotation(SQUARE, "Long hair"))
    write(tmp_path / "scan_1.json", annotation(SQUARE, "Long hair"))
    reduced, full = read_scans(tmp_path, [name, "scan_1"])
    assert reduced.kind == full.kind == "long hair"
    assert polygon_area(reduced.parts[0]) == pytest.approx(2.25 * polygon_area(full.parts[0]))


def test_unreadable_annotations_say_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"scan_9\.json.*cannot read"):
        read_annotations(tmp_path / "scan_9.json")
    (tmp_path / "scan_2.json").write_text("[1, 2]")
    with pytest.raises(UsageError, match=r"not an annotation"):
        read_annotations(tmp_path / "scan_2.json")
    write(tmp_path / "scan_3.json", annotation(SQUARE, "Coffee"))
    with pytest.raises(UsageError, match=r"not an annotation"):
        read_annotations(tmp_path / "scan_3.json")


def test_an_outline_needs_an_area() -> None:
    with pytest.raises(ValueError, match="three corners"):
        Outline("dust", (np.zeros((2, 2)),))
    assert polygon_area(np.array([(0.0, 0.0), (4.0, 0.0), (0.0, 3.0)])) == 6


@pytest.mark.parametrize("kind", list(EXTENT))
def test_procedural_sizes_follow_the_measured_ones(kind: str) -> None:
    rng = np.random.default_rng(4)
    sizes = [max(sample_outline(rng, kind).extent) for _ in range(300)]  # type: ignore[arg-type]
    median, high = EXTENT[kind]  # type: ignore[index]
    assert np.median(sizes) == pytest.approx(median, rel=0.15)
    assert np.quantile(sizes, 0.95) == pytest.approx(high, rel=0.25)


def test_kinds_come_in_their_measured_shares() -> None:
    outlines = sample_outlines(np.random.default_rng(0), 2000)
    dust = sum(outline.kind == "dust" for outline in outlines) / 2000
    assert dust == pytest.approx(SHARE["dust"] / sum(SHARE.values()), abs=0.04)


def test_hairs_are_thin_and_flakes_rougher_with_roughness() -> None:
    rng = np.random.default_rng(2)
    hairs = [sample_outline(rng, "long hair") for _ in range(60)]
    slimness = [sum(map(polygon_area, each.parts)) / max(each.extent) ** 2 for each in hairs]
    # The annotated ones: 916 square pixels at an extent of 113.
    assert np.median(slimness) == pytest.approx(916 / 113**2, rel=0.35)

    def boundary_excess(roughness: float) -> float:
        points = [flake(np.random.default_rng(seed), 100, roughness) for seed in range(40)]
        edges = [np.linalg.norm(np.diff(p, axis=0, append=p[:1]), axis=1).sum() for p in points]
        return float(np.mean([edge**2 / polygon_area(p) for edge, p in zip(edges, points, strict=True)]))

    assert boundary_excess(0.4) > 1.3 * boundary_excess(0.1)


def test_the_same_seed_gives_the_same_outlines() -> None:
    first, second = (sample_outlines(np.random.default_rng(9), 5) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.kind == other.kind
        for part, twin in zip(one.parts, other.parts, strict=True):
            np.testing.assert_array_equal(part, twin)


def test_a_placed_outline_remembers_where_it_lay(tmp_path: Path) -> None:
    write(tmp_path / "scan_1.json", annotation(SQUARE))
    (placed,) = read_placed(tmp_path / "scan_1.json")
    assert (placed.x, placed.y) == pytest.approx((105 * MICROMETRES_PER_PIXEL, 210 * MICROMETRES_PER_PIXEL))
    corners = placed.outline.parts[0] + (placed.x, placed.y)
    np.testing.assert_allclose(corners, np.array(SQUARE) * MICROMETRES_PER_PIXEL)


def test_every_gauge_has_a_width_and_a_lesser_height() -> None:
    assert set(GAUGE_WIDTH) == set(GAUGE_HEIGHT) == {"35mm", "16mm", "super8", "8mm"}
    assert all(1.2 < GAUGE_WIDTH[gauge] / GAUGE_HEIGHT[gauge] < 1.5 for gauge in GAUGE_WIDTH)
