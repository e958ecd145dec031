"""Read, detect, repair, regrain, write: a shot at a time, in bounded memory, resumable."""

from reelmend.pipeline.run import Progress, Summary, detect, repair, restore

__all__ = ["Progress", "Summary", "detect", "repair", "restore"]
