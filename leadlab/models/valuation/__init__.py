"""What a home would sell for: an estimate with a range, comparables, and how to judge them."""
