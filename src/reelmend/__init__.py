"""ReelMend finds and repairs damage in scanned film, keeps the grain, and touches nothing else."""

__version__ = "0.1.0"
