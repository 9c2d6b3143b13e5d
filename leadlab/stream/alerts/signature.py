"""Signatures of webhooks, and how a receiver checks them."""

from __future__ import annotations

import hashlib
import hmac

SIGNATURE, TIMESTAMP, IDEMPOTENCY = "Leadlab-Signature", "Leadlab-Timestamp", "Idempotency-Key"
"""Names of headers."""
_VERSION = "v1="


def sign(secret: bytes, body: bytes, timestamp_s: int) -> str:
    """HMAC-SHA256 over ``timestamp.body``.

    Examples
    --------
    >>> sign(b"secret", b"{}", 1)[:11]
    'v1=1122767b'
    """
    content = str(timestamp_s).encode() + b"." + body
    return _VERSION + hmac.new(secret, content, hashlib.sha256).hexdigest()


def is_genuine(
    secret: bytes,
    body: bytes,
    timestamp: str,
    signature: str,
    *,
    now_s: float,
    tolerance_s: int = 300,
) -> bool:
    """Whether a webhook came from whoever knows the secret, and lately.

    Parameters
    ----------
    secret : bytes
    body : bytes
        As received, before any parsing.
    timestamp, signature : str
        Of the headers.
    now_s : float
        The receiver's clock.
    tolerance_s : int
        Older or younger timestamps are refused.

    Examples
    --------
    >>> given = sign(b"secret", b"{}", 1_000)
    >>> is_genuine(b"secret", b"{}", "1000", given, now_s=1_010)
    True
    >>> is_genuine(b"secret", b"{ }", "1000", given, now_s=1_010)
    False
    """
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
        return False
    genuine = hmac.compare_digest(
        sign(secret, body, int(timestamp)).encode(), signature.encode("utf-8", "replace")
    )
    return genuine and abs(now_s - int(timestamp)) <= tolerance_s
