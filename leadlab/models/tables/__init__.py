"""Static lead tables: column work, a model, splits, and what may have been filled in afterwards."""
