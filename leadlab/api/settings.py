"""Settings of the API, read from the environment once and frozen; secrets do not show."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from leadlab.config import Settings
from leadlab.errors import ConfigError

SHORTEST_SECRET = 32
"""Bytes that HMAC with SHA-256 asks of its key (RFC 7518, 3.2)."""
RATES: Mapping[str, str] = MappingProxyType(
    {
        "admin": "1200/minute", "manager": "120000/minute", "agent": "600/minute",
        "viewer": "600/minute", "anonymous": "30/minute",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Whom the API believes, and how much it takes.

    Attributes
    ----------
    home : Path
        Folder of ``api.db`` (keys) and ``audit.db`` (``LEADLAB_HOME``).
    secret : str or None
        Key of HS256 tokens, 32 bytes or more (``LEADLAB_JWT_SECRET``).
    jwks : Path or None
        Public keys of RS256 and EdDSA tokens (``LEADLAB_JWKS``).
    signing_key : Path or None
        Private key that ``leadlab token issue`` signs with (``LEADLAB_JWT_KEY``).
    audience, issuer : str
        Held against every token (``LEADLAB_JWT_AUDIENCE``, ``LEADLAB_JWT_ISSUER``).
    audit_key : str or None
        Key of the audit's chain (``LEADLAB_AUDIT_KEY``): without it a writer of the file could
        forge the whole chain anew.
    limits : str
        Where requests are counted: ``memory://`` or ``redis://...`` (``LEADLAB_LIMITS``).
    rates : mapping of str to str
        Requests by role, and "anonymous" for failed proofs of one address
        (``LEADLAB_RATES="agent=600/minute,viewer=10/second"``).
    body_bytes : int
        Largest body of a request (``LEADLAB_BODY_BYTES``).
    operators : frozenset of str
        Tenants who may see figures of the whole process (``LEADLAB_OPERATORS``, between commas);
        where none is named, a tenant that is alone on the service.
    least_free_bytes : int
        Room on the disk below which the service says that it is not ready
        (``LEADLAB_LEAST_FREE_BYTES``).
    leeway_s : int
        Difference that is forgiven between two clocks.

    Examples
    --------
    >>> ApiSettings.from_environment({"LEADLAB_RATES": "viewer=5/second"}).rates["viewer"]
    '5/second'
    """

    home: Path
    secret: str | None = field(default=None, repr=False)
    jwks: Path | None = None
    signing_key: Path | None = None
    audience: str = "leadlab"
    issuer: str = "leadlab"
    audit_key: str | None = field(default=None, repr=False)
    limits: str = field(default="memory://", repr=False)
    rates: Mapping[str, str] = field(default_factory=lambda: RATES)
    body_bytes: int = 8 << 20
    operators: frozenset[str] = frozenset()
    least_free_bytes: int = 256 << 20
    leeway_s: int = 30

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> ApiSettings:
        """Read ``LEADLAB_*`` from `environ` (the process's own when not given).

        Raises
        ------
        ConfigError
            If a setting cannot be used; a secret's content is never shown.
        """
        env = os.environ if environ is None else environ
        jwks, signing_key = env.get("LEADLAB_JWKS"), env.get("LEADLAB_JWT_KEY")
        return cls(
            Settings.from_environment(env).home,
            _secret(env, "LEADLAB_JWT_SECRET"),
            Path(jwks) if jwks else None,
            Path(signing_key) if signing_key else None,
            env.get("LEADLAB_JWT_AUDIENCE") or "leadlab",
            env.get("LEADLAB_JWT_ISSUER") or "leadlab",
            _secret(env, "LEADLAB_AUDIT_KEY"),
            env.get("LEADLAB_LIMITS") or "memory://",
            _rates(env.get("LEADLAB_RATES") or ""),
            _bytes(env, "LEADLAB_BODY_BYTES", 8 << 20),
            frozenset(
                filter(None, map(str.strip, (env.get("LEADLAB_OPERATORS") or "").split(",")))
            ),
            _bytes(env, "LEADLAB_LEAST_FREE_BYTES", 256 << 20),
        )

    @property
    def keys_file(self) -> Path:
        """Database of API keys."""
        return self.home / "api.db"

    @property
    def audit_file(self) -> Path:
        """Database of the audit."""
        return self.home / "audit.db"


def _secret(env: Mapping[str, str], name: str) -> str | None:
    secret = env.get(name) or None
    if secret is not None and len(secret.encode()) < SHORTEST_SECRET:
        raise ConfigError(
            f"{name} is too short",
            got=f"{len(secret.encode())} bytes",
            expected=f"{SHORTEST_SECRET} bytes or more",
            hint="Make one with: openssl rand -hex 32",
        )
    return secret


def _rates(text: str) -> Mapping[str, str]:
    rates = dict(RATES)
    for part in filter(None, (p.strip() for p in text.split(","))):
        role, equals, rate = (p.strip() for p in part.partition("="))
        if role not in RATES or not equals or not rate:
            raise ConfigError(
                "LEADLAB_RATES cannot be read",
                got=part,
                expected=f"role=count/period, roles: {', '.join(RATES)}",
            )
        rates[role] = rate
    return MappingProxyType(rates)


def _bytes(env: Mapping[str, str], name: str, otherwise: int) -> int:
    text = env.get(name)
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 15 and int(text) > 0):
        raise ConfigError(f"{name} is no number of bytes", got=text[:40])
    return int(text)
