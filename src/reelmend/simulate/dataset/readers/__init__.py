"""Readers of datasets of real and simulated damage, one small file each."""
