"""Training: clean footage into windows, windows into batches, batches into weights."""
