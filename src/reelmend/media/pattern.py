"""Numbered image sequences by name: `name_%06d.dpx`, `name_####.dpx`, a folder, or one file of the run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from reelmend.errors import UsageError

IMAGE_SUFFIXES = (
    ".dpx",
    ".cin",
    ".tif",
    ".tiff",
    ".exr",
    ".png",
    ".jpg",
    ".jpeg",
    ".bmp",
    ".tga",
    ".jp2",
    ".j2c",
    ".j2k",
    ".ppm",
    ".pgm",
    ".pnm",
    ".webp",
    ".hdr",
    ".sgi",
    ".psd",
)
"""File suffixes that open as image sequences, in lower case."""

_PRINTF = re.compile(r"%(?:0(\d+))?d")
_HASHES = re.compile(r"#+")
_LAST_NUMBER = re.compile(r"^(.*?)(\d+)(\D*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A numbered file name: text, number, text."""

    prefix: str
    suffix: str
    """What follows the number, the file suffix included."""
    width: int = 0
    """Digits the number is padded to with zeros; 0 or 1 = not padded."""

    def name(self, number: int) -> str:
        return f"{self.prefix}{number:0{max(self.width, 1)}d}{self.suffix}"

    def number(self, name: str) -> int | None:
        """The number in a file name of this pattern, None for any other name."""
        if not (name.startswith(self.prefix) and name.endswith(self.suffix)):
            return None
        digits = name[len(self.prefix) : len(name) - len(self.suffix)]
        if not (digits.isascii() and digits.isdigit()):
            return None
        number = int(digits)
        return number if self.name(number) == name else None

    @property
    def printf(self) -> str:
        """Printf style, per cent signs doubled: `name_%06d.dpx`."""
        digits = f"%0{self.width}d" if self.width > 1 else "%d"
        return self.prefix.replace("%", "%%") + digits + self.suffix.replace("%", "%%")

    @property
    def numbered(self) -> bool:
        """False for one picture whose name carries no frame number."""
        return True


def parse_pattern(name: str) -> Pattern | None:
    """The pattern of a file name with one `%06d`, `%d` or run of `#`; None for a name with neither.

    UsageError when there are two places for the number.
    """
    plain = name.replace("%%", "\0\0")
    found = list(_PRINTF.finditer(plain)) or list(_HASHES.finditer(plain))
    if not found:
        return None
    if len(found) > 1:
        raise UsageError(f"{name} has two places for the frame number; keep one, such as name_%06d.dpx")
    match = found[0]
    width = int(match[1] or 0) if match[0].startswith("%") else len(match[0])
    return Pattern(plain[: match.start()].replace("\0\0", "%"), plain[match.end() :].replace("\0\0", "%"), width)


@dataclass(frozen=True, slots=True)
class Run:
    """The files of one numbered sequence."""

    folder: Path
    pattern: Pattern
    numbers: tuple[int, ...]
    """Sorted; gaps show."""

    @property
    def first(self) -> int:
        return self.numbers[0]

    @property
    def span(self) -> int:
        """Frames from the first to the last number, gaps included."""
        return self.numbers[-1] - self.numbers[0] + 1

    def path(self, number: int) -> Path:
        return self.folder / self.pattern.name(number)


def pattern_of(name: str) -> Pattern | None:
    """The pattern of a numbered file name, taking the last number before the suffix: `a2_0100.png` counts 0100."""
    path = Path(name)
    match = _LAST_NUMBER.match(path.stem)
    if not match:
        return None
    prefix, digits, tail = match.groups()
    return Pattern(prefix, tail + path.suffix, len(digits) if digits.startswith("0") else 0)


def group_runs(names: Iterable[str]) -> dict[Pattern, list[int]]:
    """Numbered runs among file names. Numbers that outgrow their padding (`0999`, `1000`) belong together."""
    padded: dict[tuple[str, str], dict[int, list[int]]] = {}
    for name in names:
        pattern = pattern_of(name)
        if pattern is None:
            continue
        digits = name[len(pattern.prefix) : len(name) - len(pattern.suffix)]
        padded.setdefault((pattern.prefix, pattern.suffix), {}).setdefault(
            len(digits) if digits.startswith("0") and len(digits) > 1 else 0, []
        ).append(int(digits))
    runs: dict[Pattern, list[int]] = {}
    for (prefix, suffix), widths in padded.items():
        plain = widths.pop(0, [])
        for width, numbers in sorted(widths.items()):
            # A number without leading zeros continues a padded run when it has at least its digits.
            grown = [number for number in plain if len(str(number)) >= width]
            if grown and len(widths) == 1:
                plain = [number for number in plain if number not in set(grown)]
                numbers = numbers + grown
            runs[Pattern(prefix, suffix, width)] = sorted(numbers)
        if plain:
            lengths = {len(str(number)) for number in plain}
            # `name_1001.png` on its own: pad to what is there, so that the written names look alike.
            runs[Pattern(prefix, suffix, lengths.pop() if len(lengths) == 1 else 0)] = sorted(plain)
    return runs


def find_run(source: Path) -> Run:
    """The numbered run that a folder, a pattern or one of its files names.

    Stray files are passed over. UsageError when nothing is there, or when a folder holds two runs.
    """
    if source.is_dir():
        return _only_run(source)
    pattern = parse_pattern(source.name)
    if source.is_file():
        return _run_of_file(source)
    if pattern is None:
        raise UsageError(f"{source} does not exist; check the name")
    if not source.parent.is_dir():
        raise UsageError(f"{source.parent} does not exist; check the name")
    numbers = sorted(n for entry in _names(source.parent) if (n := pattern.number(entry)) is not None)
    if not numbers:
        raise UsageError(f"no file in {source.parent} is called like {source.name}; check the pattern")
    return Run(source.parent, pattern, tuple(numbers))


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except PermissionError as error:
        raise UsageError(f"no permission to read {folder}; change its permissions") from error


def _only_run(folder: Path) -> Run:
    images = [
        name for name in _names(folder) if Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith(".")
    ]
    runs = group_runs(images)
    if not runs:
        if len(images) == 1:
            return _run_of_file(folder / images[0])
        raise UsageError(f"{folder} holds no numbered images; name the files like name_000001.dpx")
    if len(runs) > 1:
        first, second = sorted(runs, key=lambda pattern: (-len(runs[pattern]), pattern.printf))[:2]
        raise UsageError(
            f"{folder} holds two numbered runs, {first.printf} and {second.printf}; name the one you mean as "
            f"{folder / first.printf}"
        )
    [(pattern, numbers)] = runs.items()
    return Run(folder, pattern, tuple(numbers))


def _run_of_file(file: Path) -> Run:
    own = pattern_of(file.name)
    if own is None:
        # A single picture without a number is a film of one frame.
        return _single(file)
    siblings = group_runs(
        name
        for name in _names(file.parent)
        if (found := pattern_of(name)) and (found.prefix, found.suffix) == (own.prefix, own.suffix)
    )
    for pattern, numbers in siblings.items():
        number = pattern.number(file.name)
        if number is not None and number in numbers:
            if len(numbers) == 1:
                return _single(file)
            return Run(file.parent, pattern, tuple(n for n in numbers if n >= number))
    return _single(file)


@dataclass(frozen=True, slots=True)
class _Single(Pattern):
    """One file whatever the number."""

    def name(self, number: int) -> str:
        return f"{self.prefix}{self.suffix}"

    def number(self, name: str) -> int | None:
        return 0 if name == f"{self.prefix}{self.suffix}" else None

    @property
    def printf(self) -> str:
        return f"{self.prefix}{self.suffix}".replace("%", "%%")

    @property
    def numbered(self) -> bool:
        return False


def _single(file: Path) -> Run:
    return Run(file.parent, _Single(file.stem, file.suffix), (0,))
