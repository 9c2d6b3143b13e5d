"""Every score, explained exactly."""
