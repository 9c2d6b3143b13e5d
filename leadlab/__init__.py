"""leadlab: lead intelligence on event logs."""
