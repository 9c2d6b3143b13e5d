"""The service as others reach it: who asks, what they may, how often, and what is kept of it.

Nothing is imported here, so that each part costs only what it needs itself.
"""
