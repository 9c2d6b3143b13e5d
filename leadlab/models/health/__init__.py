"""How well it stands with a lead: a score with its parts, a level, and what would raise it."""
