"""The detectors that a benchmark is told to look at."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from reelmend.detect import make_detector
from reelmend.detect.learned import learned
from reelmend.detect.promise import Detector


def add_arguments(parser: argparse.ArgumentParser, default: tuple[str, ...] = ()) -> None:
    parser.add_argument("names", nargs="*", default=list(default), metavar="NAME_OR_CARD")
    parser.add_argument("--strength", default="standard")
    parser.add_argument("--alone", action="store_true", help="networks without the classical detector's second opinion")
    parser.add_argument("--threads", type=int, default=2)


def chosen(options: argparse.Namespace) -> Iterator[tuple[str, Detector]]:
    """What to call each of them, and the detector: by the name that `reelmend models` lists, or by its card's."""
    for name in options.names:
        title = Path(name).stem if name.endswith(".json") else name
        if options.alone:
            yield title, learned(name, options.strength, threads=options.threads, second=False)
        else:
            yield title, make_detector(name, options.strength, threads=options.threads)
