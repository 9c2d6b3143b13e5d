"""What leads write: read by linear models over words and parts of words."""
