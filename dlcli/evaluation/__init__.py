"""Scores of predictions, how sure they are, and what a trivial answer would reach. Arrays in, records out."""
