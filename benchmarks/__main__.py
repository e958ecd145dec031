"""Everything: quality on both splits, speed, memory.

    python -m benchmarks [--peers-venv VENV]

Prints the tables and writes `build/bench/results.json`.
"""

from __future__ import annotations

import argparse
import json
import platform
from importlib.metadata import version

from benchmarks import quality, speed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    quality.add_arguments(parser)
    speed.add_arguments(parser)
    parser.set_defaults(split="all")
    parser.add_argument("--skip-quality", action="store_true")
    parser.add_argument("--skip-speed", action="store_true")
    options = parser.parse_args()
    speed.use_cores(options.cores)
    result: dict[str, object] = {
        "machine": f"{platform.machine()}, {speed.cores()} cores",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("reelmend", "numpy", "opencv-python-headless", "av")},
    }
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.skip_quality:
        splits = ("dev", "test") if options.split == "all" else (options.split,)
        result["quality"] = {}
        for split in splits:
            chosen = argparse.Namespace(**{**vars(options), "split": split})
            result["quality"] |= {split: quality.measure_quality(chosen)}  # type: ignore[operator]
    if not options.skip_speed:
        result["speed"] = speed.measure_speed(
            options.out, speed.chosen(options.cases), openvino=not options.without_openvino
        )
    target = options.out / "results.json"
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"\n{target}")


if __name__ == "__main__":
    main()
