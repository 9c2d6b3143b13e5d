"""Which homes fit a buyer: stated wishes, learned taste, and why."""
