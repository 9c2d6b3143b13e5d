"""Scores into probabilities that hold: maps, intervals, several classes and horizons."""
