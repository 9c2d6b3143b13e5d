"""Next best action: what may be done about a lead, what it is expected to change, and why."""
