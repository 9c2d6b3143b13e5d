"""Panel views that work in a notebook cell and in an app alike.

A view is a class with a `view` (what Panel shows) and a `show(picture)` (take what is new).
`leadlab.ui.hub` runs the pipeline once for the whole process; views only read from it.
"""
