"""Versions of models: where each came from, which one is in use, and the way back."""
