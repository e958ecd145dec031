"""The benchmark harness on a small clip of its own, with stand-ins for the tools."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from benchmarks import tools
from benchmarks.measure import ClipFiles, figures, measure
from benchmarks.quality import score, table
from benchmarks.speed import to_and_fro
from benchmarks.tools import Restored
from benchmarks.video import read_planes, write_ffv1

HEIGHT, WIDTH, FRAMES = 48, 64, 3
CHROMA = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise, with a block of 6 x 8 pixels blackened in each frame."""
    folder = tmp_path_factory.mktemp("clips") / "block"
    rng = np.random.default_rng(0)
    truth = np.zeros((HEIGHT, WIDTH), np.uint8)
    truth[20:26, 30:38] = 255
    clean = [(rng.normal(120, 5, (HEIGHT, WIDTH)).astype(np.uint8), CHROMA, CHROMA) for _ in range(FRAMES)]
    damaged = [(np.where(truth > 0, 20, luma).astype(np.uint8), u, v) for luma, u, v in clean]
    write_ffv1(folder / "clean.mkv", clean, "yuv420p", Fraction(24))
    write_ffv1(folder / "damaged.mkv", damaged, "yuv420p", Fraction(24))
    write_ffv1(folder / "truth.mkv", [(truth,)] * FRAMES, "gray", Fraction(24))
    return folder


def test_films_come_back_as_written(clip: Path) -> None:
    frames = list(read_planes(clip / "truth.mkv"))
    assert len(frames) == FRAMES
    assert (frames[1][0] > 0).sum() == 48


def test_ideal_and_nothing_bound_the_figures(clip: Path) -> None:
    result = score([clip], {"before": tools.nothing, "ideal": tools.ideal})
    before, ideal = (result[name]["pooled"]["film"] for name in ("before", "ideal"))
    clean, damaged = (np.stack([planes[0] for planes in read_planes(clip / f"{n}.mkv")]) for n in ("clean", "damaged"))
    error = (clean.astype(float) - damaged)[:, 20:26, 30:38]
    assert before["psnr_inside"] == pytest.approx(10 * np.log10(255**2 / np.mean(error**2)))
    assert before["psnr_outside"] == float("inf")
    assert before["recall"] == 0
    assert before["precision"] is None
    assert before["changed_per_million"] == 0
    assert ideal["psnr_inside"] == float("inf")
    assert ideal["dice"] == ideal["blob_recall"] == 1
    assert ideal["grain_kept_outside"] == pytest.approx(1)
    assert "ideal (mean)" in table(result)
    json.dumps(result)


def test_changes_beyond_the_damage_are_counted(clip: Path, tmp_path: Path) -> None:
    """Four pixels just beside the damage and one far off, in each frame; one of the far ones by too little."""

    def restore(damaged: Path, folder: Path) -> Restored:
        frames = []
        for index, (luma, u, v) in enumerate(read_planes(damaged)):
            luma = luma.copy()
            luma[20:24, 38] += 40
            luma[2, 2] += 2 if index == 0 else 3
            frames.append((luma, u, v))
        write_ffv1(folder / "film.mkv", frames, "yuv420p", Fraction(24))
        return Restored(folder / "film.mkv")

    made = restore(clip / "damaged.mkv", tmp_path)
    found = figures(measure(ClipFiles(clip), made.film, made.masks, 2))
    assert found["changed_per_million_strict"] == pytest.approx(1e6 * (3 * 4 + 2) / (3 * (HEIGHT * WIDTH - 48)))
    # The disc of two pixels cuts the corners of the grown block: 10 x 12 less one pixel each.
    assert found["changed_per_million"] == pytest.approx(1e6 * 2 / (3 * (HEIGHT * WIDTH - 116)))
    assert found["recall"] == 0
    assert found["precision"] == 0


def test_commands_are_run_and_their_failures_told(clip: Path, tmp_path: Path) -> None:
    copy = f'"{sys.executable}" -c "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])" {{damaged}} {{film}}'
    made = tools.command(copy)(clip / "damaged.mkv", tmp_path)
    assert made.film.read_bytes() == (clip / "damaged.mkv").read_bytes()
    assert made.masks is None
    assert made.plain is None
    with pytest.raises(RuntimeError, match="code 3"):
        tools.command(f'"{sys.executable}" -c "raise SystemExit(3)"')(clip / "damaged.mkv", tmp_path)


def test_a_film_of_another_length_is_refused(clip: Path, tmp_path: Path) -> None:
    write_ffv1(tmp_path / "short.mkv", list(read_planes(clip / "clean.mkv"))[:2], "yuv420p", Fraction(24))
    with pytest.raises(ValueError, match="frame 2 is missing"):
        measure(ClipFiles(clip), tmp_path / "short.mkv", None, 2)


def test_no_frame_stands_beside_its_like() -> None:
    assert to_and_fro(4, 9) == [0, 1, 2, 3, 2, 1, 0, 1, 2]
