"""What can be said of a model on rows that it never saw: one object, and its parts."""
