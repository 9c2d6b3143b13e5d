"""Estimators on feature tables, and the honest ways to judge them.

``landmarks`` labels, ``splits`` divides by time, ``training`` goes from a log to a judged model,
``conversion`` and ``baselines`` are estimators, ``metrics``, ``intervals`` and ``report`` judge
them. Further rooms: ``calibration``, ``churn``, ``tables``, ``validation``, ``files`` (models as
files) and ``protocols`` (``leadlab evaluate``).
"""
