"""What goes wrong, said in one sentence: what, where (file, frame), what to do next."""

from __future__ import annotations


class ReelMendError(Exception):
    """A failure that a person can act on.

    `str(error)` is one sentence naming the file, the frame where there is one, and the remedy. The command line
    prints it without a traceback and exits with `exit_code`.
    """

    exit_code = 1


class UsageError(ReelMendError):
    """The caller's mistake: a missing file, a wrong option, an output that would overwrite its source."""

    exit_code = 2


class MediaError(ReelMendError):
    """A source that cannot be read, or an output that cannot be written, found out while running."""
