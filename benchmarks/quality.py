"""Quality on the evaluation clips: ReelMend, other commands and the peers, one table and one JSON file.

    python -m benchmarks.quality --split dev
    python -m benchmarks.quality --split test --peers-venv VENV
    python -m benchmarks.quality --tool "mine=mytool {damaged} {film} --masks {masks}"

Builds the clips first where they are missing. Films are kept in `OUT/runs/<tool>/<clip>` with `--keep`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import tools
from benchmarks.clips import built, data_folder
from benchmarks.measure import ClipFiles, Sums, figures, measure, together
from benchmarks.tools import Restore

GROW = 2
"""Pixels by which `reelmend restore` grows its masks unless told otherwise."""

COLUMNS = (
    ("plain", "plain", "psnr_inside", "{:.2f}"),
    ("inside", "film", "psnr_inside", "{:.2f}"),
    ("lowpass", "film", "psnr_inside_low_passed", "{:.2f}"),
    ("outside", "film", "psnr_outside", "{:.1f}"),
    ("Dice", "film", "dice", "{:.3f}"),
    ("IoU", "film", "iou", "{:.3f}"),
    ("prec.", "film", "precision", "{:.3f}"),
    ("recall", "film", "recall", "{:.3f}"),
    ("visible", "film", "recall_visible", "{:.3f}"),
    ("changed", "film", "changed_per_million", "{:.0f}"),
    ("strict", "film", "changed_per_million_strict", "{:.0f}"),
    ("grain out", "film", "grain_kept_outside", "{:.3f}"),
    ("grain in", "film", "grain_inside_variance", "{:.2f}"),
    ("spectrum", "film", "grain_inside_spectrum_db", "{:.1f}"),
)
LEGEND = """\
inside, outside: PSNR of luma in dB, within and beyond the true mask; plain: inside before grain is put back;
lowpass: inside, the error blurred by a Gaussian of 1.5 pixels; visible: recall of damage that moves luma by 3 codes
or more; changed: clean pixels moved by more than 2 of 255 per million, beyond the true mask grown by the tool's reach,
and (strict) beyond the true mask; grain out: share of the fine energy left beyond the damage; grain in, spectrum:
variance of grain in repaired regions over that around them, and the distance of their spectra in dB (flat picture)."""


def score(
    clips: Sequence[Path], restorers: Mapping[str, Restore], grow_px: int = GROW, keep: Path | None = None
) -> dict[str, Any]:
    """Run every restorer on every clip: `{restorer: {"clips": {clip: figures}, "pooled": ..., "mean": ...}}`.

    Each set of figures comes twice: of `film`, and of `plain`, the film before grain was put back.
    """
    result: dict[str, Any] = {}
    for name, restore in restorers.items():
        gathered: dict[str, list[Sums]] = {"film": [], "plain": []}
        single: dict[str, Any] = {}
        for clip in clips:
            with tempfile.TemporaryDirectory() as scratch:
                folder = keep / name / clip.name if keep else Path(scratch)
                folder.mkdir(parents=True, exist_ok=True)
                files = ClipFiles(clip)
                made = restore(files.damaged, folder)
                sums = measure(files, made.film, made.masks, grow_px)
                # Without a switch for grain the film is its own plain version.
                plain = measure(files, made.plain, made.masks, grow_px) if made.plain else sums
            gathered["film"].append(sums)
            gathered["plain"].append(plain)
            single[clip.name] = {"film": figures(sums), "plain": figures(plain), "seconds": made.seconds}
            print(row(f"{name}: {clip.name}", single[clip.name]), flush=True)
        both = {kind: together(each) for kind, each in gathered.items()}
        result[name] = {"clips": single} | {how: {kind: both[kind][how] for kind in both} for how in ("pooled", "mean")}
    return result


def row(title: str, values: Mapping[str, Any]) -> str:
    cells = [title[:34].ljust(34)]
    for heading, kind, key, form in COLUMNS:
        value = values[kind].get(key)
        cells.append(("-" if value is None else form.format(value)).rjust(max(7, len(heading))))
    return " ".join(cells)


def table(result: Mapping[str, Any]) -> str:
    """The figures of all clips together, for people."""
    heading = " ".join(["".ljust(34), *(title.rjust(max(7, len(title))) for title, *_ in COLUMNS)])
    lines = [heading]
    for how in ("pooled", "mean"):
        lines += [row(f"{name} ({how})", entry[how]) for name, entry in result.items()]
    return "\n".join([*lines, "", LEGEND])


def restorers_of(options: argparse.Namespace) -> dict[str, Restore]:
    """The tools that the command line asks for."""
    chosen: dict[str, Restore] = {"before": tools.nothing, "ideal": tools.ideal}
    if not options.no_reelmend:
        chosen["reelmend"] = tools.reelmend(options.reelmend_options.split())
    for entry in options.tool:
        name, found, template = entry.partition("=")
        if not found:
            raise SystemExit(f"--tool {entry}: write NAME=COMMAND")
        chosen[name] = tools.command(template)
    if options.peers_venv:
        for method in tools.PEERS:
            chosen[method] = tools.peer(method, options.peers_venv, options.peers_script)
    return chosen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    data = data_folder()
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--data", type=Path, default=data, help="default: REELMEND_DATA or ../shared/data")
    parser.add_argument("--split", choices=("dev", "test", "all"), default="dev")
    parser.add_argument("--clips", nargs="*", help="only the clips of these names")
    parser.add_argument("--tool", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--no-reelmend", action="store_true")
    parser.add_argument("--reelmend-options", default="", help='for example "--strength gentle"')
    parser.add_argument("--grow", type=int, default=GROW, help="reach of the tool's repair beyond its mask, pixels")
    parser.add_argument("--peers-venv", type=Path, help="environment with VapourSynth and its plugins")
    parser.add_argument("--peers-script", type=Path, default=data.parent / "peers" / "vs_peers.py")
    parser.add_argument("--keep", action="store_true", help="keep the restored films in OUT/runs")


def measure_quality(options: argparse.Namespace) -> dict[str, Any]:
    """Build what is missing, run, print; the result."""
    clips = built(options.out, options.split, options.data)
    if options.clips:
        clips = [clip for clip in clips if clip.name in options.clips]
    runs = options.out / "runs" if options.keep else None
    if runs is not None:
        shutil.rmtree(runs, ignore_errors=True)
    result = score(clips, restorers_of(options), options.grow, runs)
    print(f"\n{options.split} clips\n{table(result)}")
    return {"split": options.split, "grow": options.grow, "tools": result}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure quality on the evaluation clips.")
    add_arguments(parser)
    options = parser.parse_args()
    result = measure_quality(options)
    target = options.out / f"quality-{options.split}.json"
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"\n{target}")


if __name__ == "__main__":
    main()
