"""Public data sets by address and checksum, and simulated events."""
