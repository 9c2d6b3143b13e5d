"""Fifteen factors, each a score of 0 to 1 with a reason."""
