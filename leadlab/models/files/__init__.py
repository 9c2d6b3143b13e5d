"""Models as files: named contents with checksums, feature plans, models of other packages."""
