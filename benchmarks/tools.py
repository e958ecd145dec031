"""What the benchmarks run: ReelMend itself, any other command, and the peers in their own environment."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PEERS = ("spotless", "spotless_r2", "masked", "median")


@dataclass(frozen=True, slots=True)
class Restored:
    """What a tool made of one clip."""

    film: Path
    masks: Path | None = None
    """Film of masks, white = damage; None when the tool has none."""
    plain: Path | None = None
    """The film before grain was put back, when the tool can leave that out."""
    seconds: float = 0.0
    """Wall time of the run that made `film`."""


Restore = Callable[[Path, Path], Restored]
"""`restore(damaged, folder)` writes what it makes into the folder."""


def reelmend(options: Sequence[str] = (), with_plain: bool = True) -> Restore:
    """`reelmend restore`, with further options; run twice, the second time without grain."""

    def restore(damaged: Path, folder: Path) -> Restored:
        film, masks, plain = folder / "restored.mkv", folder / "masks.mkv", folder / "plain.mkv"
        command = [sys.executable, "-m", "reelmend", "restore", str(damaged)]
        seconds = run([*command, str(film), "--masks", str(masks), "--quiet", "--overwrite", *options])
        if with_plain:
            run([*command, str(plain), "--no-grain", "--quiet", "--overwrite", *options])
        return Restored(film, masks, plain if with_plain else None, seconds)

    return restore


def command(template: str) -> Restore:
    """Any command line with `{damaged}`, `{film}` and, if it writes them, `{masks}` and `{plain}` (all Matroska)."""

    def restore(damaged: Path, folder: Path) -> Restored:
        places = {name: folder / f"{name}.mkv" for name in ("film", "masks", "plain")}
        words = [word.format(damaged=damaged, **places) for word in shlex.split(template)]
        seconds = run(words)
        masks, plain = (places[name] if f"{{{name}}}" in template else None for name in ("masks", "plain"))
        return Restored(places["film"], masks, plain, seconds)

    return restore


def peer(method: str, venv: Path, script: Path) -> Restore:
    """One method of the peers' script in its own environment, its `ffmpeg` replaced by `benchmarks.y4m`."""

    def restore(damaged: Path, folder: Path) -> Restored:
        film = folder / "restored.mkv"
        with tempfile.TemporaryDirectory() as shelf:
            shim = Path(shelf) / "ffmpeg"
            shim.write_text(
                "#!/bin/sh\n"
                f'cd {shlex.quote(str(ROOT))} && exec {shlex.quote(sys.executable)} -m benchmarks.y4m "$@"\n',
                encoding="utf-8",
            )
            shim.chmod(0o755)
            path = os.pathsep.join([shelf, os.environ.get("PATH", "")])
            words = [venv / "bin" / "python", script, method, damaged.resolve(), film.resolve()]
            seconds = run([str(word) for word in words], PATH=path)
        return Restored(film, seconds=seconds)

    return restore


def nothing(damaged: Path, folder: Path) -> Restored:
    """Leaves the film as it is: the figures before."""
    return Restored(damaged)


def ideal(damaged: Path, folder: Path) -> Restored:
    """The clip's own undamaged film and true masks: the figures that nothing can better."""
    return Restored(damaged.with_name("clean.mkv"), damaged.with_name("truth.mkv"))


def run(words: Sequence[str], **environment: str) -> float:
    """Run a command; wall seconds. Raises RuntimeError with the end of what it printed when it fails."""
    begun = time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-12:])
        raise RuntimeError(f"{shlex.join(words)} failed with code {done.returncode}:\n{tail}")
    return seconds
