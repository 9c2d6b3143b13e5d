"""Labelled phrases written for this project, and texts put together from them.

Examples
--------
>>> from leadlab.data.phrases.labelled import labelled_texts
>>> labelled_texts(40, seed=0)["intent"].nunique() > 4
True
"""
