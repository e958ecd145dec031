"""Commands that need the research libraries, which restoration does without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def research(command: str) -> Iterator[None]:
    """Turns a missing library of the extra into how to install it."""
    from reelmend.errors import UsageError

    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "reelmend":
            raise
        raise UsageError(
            f"`reelmend {command}` needs {error.name}, which comes with the research libraries; install them: "
            "pip install 'reelmend[train]'"
        ) from None
