"""Bearer tokens: signed by a key we trust, by that key's algorithm, for us, and in time."""

from __future__ import annotations

import math
import re
from typing import Any

import jwt
from jwt.algorithms import HMACAlgorithm

from leadlab.api.identity import LONGEST_NAME, Principal, is_name
from leadlab.api.jwks import KeyFile, PublicKey
from leadlab.api.roles import ROLES, granted, role_named
from leadlab.api.settings import ApiSettings
from leadlab.errors import ConfigError, NotProven

LONGEST = 8192
"""Characters of a token."""
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_HEADER = frozenset({"alg", "kid", "typ"})
_REQUIRED = ["sub", "tenant", "role", "exp", "aud", "iss"]


class Verifier:
    """Says whose token it is.

    A token without key id (``kid``) is held to the shared secret and HS256, one with a key id to
    that public key and the algorithm of its kind. The token's own ``alg`` decides nothing.

    Parameters
    ----------
    settings : ApiSettings

    Raises
    ------
    ConfigError
        If the shared secret is a public key or the like.

    Examples
    --------
    >>> from pathlib import Path
    >>> settings = ApiSettings(Path("."), secret="a secret that is thirty-two bytes long")
    >>> claims = {"sub": "ann", "tenant": "acme", "role": "viewer", "exp": 200, "aud": "leadlab",
    ...           "iss": "leadlab"}
    >>> token = jwt.encode(claims, settings.secret, algorithm="HS256")
    >>> Verifier(settings).verify(token, now_s=100).subject
    'ann'
    >>> Verifier(settings).verify(token, now_s=300)
    Traceback (most recent call last):
    leadlab.errors.NotProven: the token has expired
    """

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        self.keys = KeyFile(settings.jwks) if settings.jwks is not None else None
        self._shared: PublicKey | None = None
        if settings.secret is not None:
            try:
                secret = HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(settings.secret)
            except jwt.InvalidKeyError as error:
                raise ConfigError("LEADLAB_JWT_SECRET is a key of another kind") from error
            self._shared = PublicKey("", "HS256", secret)

    def verify(self, token: str, now_s: float) -> Principal:
        """Who holds `token`.

        Parameters
        ----------
        token : str
        now_s : float
            Clock, seconds since 1970 UTC.

        Raises
        ------
        NotProven
            If it does not prove anything; the reason is told, never the token.
        """
        if len(token) > LONGEST or not _SHAPE.fullmatch(token):
            raise NotProven("this is no token")
        try:
            key = self._key(jwt.get_unverified_header(token), now_s)
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                audience=self.settings.audience,
                issuer=self.settings.issuer,
                options={
                    "require": _REQUIRED,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, UnicodeError) as error:
            raise NotProven(_reason(error)) from error
        _in_time(claims, now_s, self.settings.leeway_s)
        return _principal(claims)

    def _key(self, header: dict[str, Any], now_s: float) -> PublicKey:
        if not header.keys() <= _HEADER or header.get("typ", "JWT") not in ("JWT", "at+jwt"):
            raise NotProven("the token's header says more than alg, kid and typ")
        kid = header.get("kid")
        if kid is None:
            key = self._shared
        else:
            known = self.keys is not None and isinstance(kid, str) and len(kid) <= LONGEST_NAME
            key = self.keys.find(kid, now_s) if self.keys is not None and known else None
        if key is None:
            raise NotProven("the token names no key that is trusted here")
        return key


def _reason(error: Exception) -> str:
    """What to tell; PyJWT's own words may repeat what the token says."""
    told: tuple[tuple[type[Exception], str], ...] = (
        (jwt.InvalidAudienceError, "the token is for another audience"),
        (jwt.InvalidIssuerError, "the token is of another issuer"),
        (jwt.MissingRequiredClaimError, f"the token lacks one of {', '.join(_REQUIRED)}"),
        (jwt.InvalidAlgorithmError, "the token is not signed the way its key asks"),
    )
    return next((why for kind, why in told if isinstance(error, kind)), "the token is not genuine")


def _in_time(claims: dict[str, Any], now_s: float, leeway_s: float) -> None:
    moments = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    for name, moment in moments.items():
        number = isinstance(moment, (int, float)) and not isinstance(moment, bool)
        if not number or not (isinstance(moment, int) or math.isfinite(moment)):
            raise NotProven(f"the token's '{name}' is no moment")
    if moments["exp"] <= now_s - leeway_s:
        raise NotProven("the token has expired")
    if max(moments.get("nbf", 0), moments.get("iat", 0)) > now_s + leeway_s:
        raise NotProven("the token is not valid yet")


def _principal(claims: dict[str, Any]) -> Principal:
    tenant, subject = _name(claims, "tenant"), _name(claims, "sub")
    if _name(claims, "role") not in ROLES:
        raise NotProven("the token names no role that is known here")
    role = role_named(claims["role"])
    agent = _name(claims, "agent") if claims.get("agent") is not None else None
    if (role == "agent") != (agent is not None):
        raise NotProven("the token's role and agent do not belong together")
    scopes = claims.get("scopes")
    if scopes is not None and not (
        isinstance(scopes, list) and all(isinstance(one, str) for one in scopes)
    ):
        raise NotProven("the token's 'scopes' is no list of names")
    return Principal(tenant, subject, role, granted(role, scopes), agent, f"jwt:{subject}",
                     float(claims["exp"]))  # fmt: skip


def _name(claims: dict[str, Any], claim: str) -> str:
    name = claims[claim]
    if not is_name(name):
        raise NotProven(f"the token's '{claim}' is no name")
    return str(name)
