"""Sources and outputs by name: what they are, and the checks before a byte is written."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reelmend.errors import MediaError, ReelMendError, UsageError
from reelmend.film import ReelFacts
from reelmend.media.pattern import IMAGE_SUFFIXES, Pattern, parse_pattern

CONTAINERS = {".mkv": "matroska", ".mov": "mov", ".mp4": "mp4"}
"""Output suffixes and FFmpeg's muxers for them."""

_OTHER_FILMS = (
    ".avi", ".mxf", ".webm", ".mpg", ".mpeg", ".m2v", ".ts", ".m2ts", ".mts", ".m4v", ".mp2", ".wmv", ".asf",
    ".flv", ".ogv", ".ogg", ".3gp", ".dv", ".vob", ".y4m", ".nut", ".gif", ".wav", ".mp3", ".h264", ".h265",
    ".hevc", ".ivf", ".txt", ".toml", ".json", ".html", ".zip",
)  # fmt: skip
"""File suffixes that are certainly no folder of images, so that `film.avi` is refused and `scan.v2` is a folder."""


def output_kind(output: Path) -> str:
    """`container` or `sequence`; UsageError for a suffix that says neither."""
    suffix = output.suffix.lower()
    if suffix in CONTAINERS:
        return "container"
    if parse_pattern(output.name) is not None or output.is_dir():
        return "sequence"
    if suffix in IMAGE_SUFFIXES:
        raise UsageError(
            f"{output} names one image; write a sequence as a folder or as a pattern such as "
            f"{output.with_name(f'{output.stem}_%06d{output.suffix}')}"
        )
    if suffix not in _OTHER_FILMS:
        return "sequence"
    raise UsageError(f"{output}: films are not written as {suffix}; use .mkv, .mov, .mp4, or a folder for a sequence")


def check_output(output: Path, source: Path | None, overwrite: bool) -> None:
    """Refuse an output that would touch the source, exists already, or cannot be written."""
    folder = output.parent
    if source is not None:
        _check_apart(output, source)
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; make it, or choose another place for {output.name}")
    exists = output.exists() and not (
        output.is_dir() and output_kind(output) == "sequence" and not any(output.iterdir())
    )
    if exists and not overwrite:
        raise UsageError(f"{output} exists already; --overwrite replaces it")
    if exists and output.is_dir() and output_kind(output) == "container":
        raise UsageError(f"{output} is a folder; give the film another name")
    if not writable(folder):
        raise UsageError(f"no permission to write into {folder}; choose another folder or change its permissions")


def _check_apart(output: Path, source: Path) -> None:
    if output.resolve() == source.resolve() or (
        output.exists() and source.exists() and os.path.samefile(output, source)
    ):
        raise UsageError(f"{output} is the source itself; choose another output, the source is never changed")
    if source.is_dir() and source.resolve() in output.resolve().parents:
        raise UsageError(f"{output} lies inside the source {source}; choose another place, the source is never changed")


def check_sequence_output(
    output: Path, target: Path, pattern: Pattern, source: ReelFacts | None, overwrite: bool
) -> None:
    """The same for a sequence: `target` is its folder, `pattern` the names of its files."""
    if source is not None:
        if source.kind == "sequence" and not source.path.is_dir():
            # The run lies beside other files; only its own names are the source.
            own = parse_pattern(source.pattern or "")
            name = own.name(source.first_number) if own else source.path.name
            if target.resolve() == source.path.parent.resolve() and pattern.number(name) is not None:
                raise UsageError(f"{output} would replace the source {source.path}; choose another folder or name")
        else:
            _check_apart(target, source.path)
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; choose another name for the folder of images")
    parent = target if target.is_dir() else target.parent
    if not parent.is_dir():
        raise UsageError(f"{parent} is not a folder; make it, or choose another place for {output.name}")
    if target.is_dir() and not overwrite:
        names = [path.name for path in target.iterdir()]
        taken = next((name for name in sorted(names) if pattern.number(name) is not None), None)
        if taken:
            raise UsageError(f"{target} holds {taken} already; --overwrite replaces it")
        if names and output == target:
            raise UsageError(
                f"{target} exists already and is not empty; choose a new folder, or --overwrite adds to it"
            )
    if not writable(parent):
        raise UsageError(f"no permission to write into {parent}; choose another folder or change its permissions")


@contextmanager
def writing(path: Path, frame: int | None = None) -> Iterator[None]:
    """Turn what the operating system and the libraries say while writing `path` into one sentence."""
    try:
        yield
    except ReelMendError:
        raise
    except OSError as error:
        raise writing_failed(path, frame, error.errno, str(error)) from error


def writing_failed(path: Path, frame: int | None, number: int | None, detail: str) -> MediaError:
    at = f" at frame {frame}" if frame is not None else ""
    if number in (errno.ENOSPC, errno.EDQUOT):
        return MediaError(
            f"the disk is full{at} while writing {path}; make room and run the same command again to go on"
        )
    if number == errno.EFBIG:
        return MediaError(
            f"{path} grew beyond the largest file allowed{at}; raise the limit (ulimit -f) or write to another "
            "disk, then run the same command again"
        )
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return MediaError(f"no permission to write {path}{at}; change the permissions or choose another folder")
    return MediaError(
        f"{path} could not be written{at} ({detail}); check the disk and run the same command again to go on"
    )


def readable(path: Path) -> bool:
    """Whether the file can be opened for reading by the one who runs this (`os.access` asks for the real user)."""
    try:
        path.open("rb").close()
    except PermissionError:
        return False
    return True


def writable(folder: Path) -> bool:
    """Whether files can be made in a folder."""
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def full_disk_number(folder: Path, detail: str) -> int | None:
    """The error number behind a library's failure that gives none: does the disk still take a block?"""
    if "no space" in detail.lower():
        return errno.ENOSPC
    probe = folder / "probe.part"
    try:
        with probe.open("wb") as file:
            file.write(bytes(1 << 20))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno
    finally:
        probe.unlink(missing_ok=True)
    return None


def sequence_target(output: Path) -> tuple[Path, Pattern | None]:
    """Folder and file name pattern (None = to be chosen) of a sequence output."""
    pattern = parse_pattern(output.name)
    return (output.parent, pattern) if pattern is not None else (output, None)


def sync(path: Path) -> None:
    """Put a file's bytes on the disk, so that a rename after it survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
