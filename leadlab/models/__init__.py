"""Estimators on feature tables, and the honest ways to judge them.

``landmarks`` labels, ``splits`` divides by time, ``conversion`` and ``baselines`` are estimators,
``metrics``, ``intervals`` and ``report`` judge them, ``model_file`` keeps them.
"""
