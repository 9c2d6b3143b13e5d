"""Leads that fall silent: labels, landmarks, one model over several horizons, what to do."""
