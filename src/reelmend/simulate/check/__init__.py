"""The realism report: how far simulated damage is from annotated real damage (research: needs `[train]`)."""
