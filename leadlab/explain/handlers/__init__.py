"""Insight handlers of the package: small functions of what is known, one idea each.

They are named and loaded as a user's own are, and stand behind the same fence.
"""
