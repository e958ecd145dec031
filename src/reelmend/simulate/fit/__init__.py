"""Fitting the statistics of damage to annotated scans (research: needs the extra `[train]`)."""
