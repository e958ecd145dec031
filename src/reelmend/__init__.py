"""ReelMend finds and repairs damage in scanned film, keeps the grain, and touches nothing else.

    import reelmend
    reelmend.restore("scan.mov", "restored.mkv", strength="gentle")

`restore`, `detect` and `repair` run a job; `Job` is one job with all its options; `open_reel` reads a film frame by
frame. Everything loads on first use: importing the package costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelmend.api import detect, repair, restore
    from reelmend.config import Job
    from reelmend.media import open_reel
    from reelmend.pipeline import Progress, Summary

__version__ = "0.1.0"

__all__ = ["Job", "Progress", "Summary", "__version__", "detect", "open_reel", "repair", "restore"]

_HOMES = {
    "Job": "reelmend.config",
    "Progress": "reelmend.pipeline",
    "Summary": "reelmend.pipeline",
    "open_reel": "reelmend.media",
    "restore": "reelmend.api",
}
_ROOMS = ("detect", "repair")
"""Rooms of the package that bear the name of a command."""


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Command(ModuleType):
    """A room that can be called as the command of its name.

    Python puts a package's rooms into its namespace as soon as anything imports them, so `reelmend.detect` cannot
    stay a function beside `reelmend/detect/`; it is both instead.
    """

    def __call__(self, *args: Any, **options: Any) -> Any:
        command = self.__name__.rpartition(".")[2]
        return getattr(import_module(f"{__name__}.api"), command)(*args, **options)


class _Package(ModuleType):
    def __setattr__(self, name: str, value: Any) -> None:
        if name in _ROOMS and type(value) is ModuleType:
            value.__class__ = _Command
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
