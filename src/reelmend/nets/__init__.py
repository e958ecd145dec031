"""Networks, in torch: needs the extra `[train]`. Nothing is imported here: a part costs what it needs."""
