"""Cuts, copies, optical flow and windows: a centre frame with its neighbours' content found."""
