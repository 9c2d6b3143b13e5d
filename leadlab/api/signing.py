"""Making tokens, and the keys that sign them."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from leadlab.api.identity import Principal
from leadlab.api.jwks import ALGORITHMS, read_keys
from leadlab.api.settings import ApiSettings
from leadlab.errors import BrokenFile, ConfigError
from leadlab.schema.atomic import atomic_path

Algorithm = Literal["EdDSA", "RS256"]
RSA_BITS = 3072
_PUBLIC = ("kty", "crv", "x", "n", "e", "kid", "alg", "use")


def issue(settings: ApiSettings, holder: Principal, *, now_s: int, seconds: int) -> str:
    """A token for `holder`, signed by the private key of `settings`, or by its shared secret.

    Parameters
    ----------
    settings : ApiSettings
    holder : Principal
        Its ``key_id`` is not used.
    now_s : int
        Clock, seconds since 1970 UTC.
    seconds : int
        How long it holds.

    Raises
    ------
    ConfigError
        If there is neither key nor secret.
    BrokenFile
        If the private key cannot be read.

    Examples
    --------
    >>> from leadlab.api.tokens import Verifier
    >>> settings = ApiSettings(Path("."), secret="a secret that is thirty-two bytes long")
    >>> ann = Principal("acme", "ann", "viewer", frozenset({"leads:read"}), None, "")
    >>> token = issue(settings, ann, now_s=1000, seconds=60)
    >>> sorted(Verifier(settings).verify(token, now_s=1001).scopes)
    ['leads:read']
    """
    claims: dict[str, Any] = {
        "iss": settings.issuer,
        "aud": settings.audience,
        "iat": now_s,
        "exp": now_s + seconds,
        "jti": secrets.token_hex(8),
        "sub": holder.subject,
        "tenant": holder.tenant,
        "role": holder.role,
        "scopes": sorted(holder.scopes),
    }
    if holder.agent is not None:
        claims["agent"] = holder.agent
    if settings.signing_key is not None:
        kid, algorithm, key = _private_key(settings.signing_key)
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})
    if settings.secret is not None:
        return jwt.encode(claims, settings.secret, algorithm="HS256")
    raise ConfigError(
        "there is nothing to sign a token with",
        expected="LEADLAB_JWT_KEY (a private key) or LEADLAB_JWT_SECRET",
        hint="Make a pair of keys with: leadlab token jwks --out jwks.json",
    )


def _private_key(path: Path) -> tuple[str, str, Any]:
    try:
        jwk = json.loads(path.read_text(encoding="utf-8"))
        algorithm = ALGORITHMS[jwk["kty"], jwk.get("crv")]
        return str(jwk["kid"]), algorithm, jwt.PyJWK(jwk, algorithm=algorithm).key
    except (OSError, ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError) as error:
        # What is in the file is not told: it is a secret.
        raise BrokenFile("cannot read a private key", where=str(path)) from error


def new_key(algorithm: Algorithm) -> dict[str, Any]:
    """A fresh private key as a JWK, with a random id.

    Examples
    --------
    >>> sorted(new_key("EdDSA"))
    ['alg', 'crv', 'd', 'kid', 'kty', 'use', 'x']
    """
    if algorithm == "EdDSA":
        jwk = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
    else:
        jwk = RSAAlgorithm.to_jwk(generate_private_key(65537, RSA_BITS), as_dict=True)
        jwk.pop("key_ops")
    return {**jwk, "kid": secrets.token_hex(8), "alg": algorithm, "use": "sig"}


def rotate(public: Path, private: Path, algorithm: Algorithm, *, keep: int) -> tuple[str, int]:
    """A new pair of keys; older public keys stay, so that tokens out there go on being believed.

    The public key is written first: nobody can sign with a key that is not yet trusted.

    Parameters
    ----------
    public : Path
        JWK Set, made or added to; the newest key comes first.
    private : Path
        The new private key as a JWK, readable by its owner alone; replaces the one before.
    algorithm : {"EdDSA", "RS256"}
    keep : int
        Public keys to keep at most, the new one among them.

    Returns
    -------
    tuple of str and int
        Id of the new key, and how many public keys there are now.

    Raises
    ------
    BrokenFile
        If `public` is there and cannot be read; nothing is changed then.
    """
    older: list[dict[str, Any]] = []
    if public.exists():
        read_keys(public)
        older = json.loads(public.read_text(encoding="utf-8"))["keys"]
    jwk = new_key(algorithm)
    kept = [{name: jwk[name] for name in _PUBLIC if name in jwk}, *older][: max(keep, 1)]
    with atomic_path(public) as temporary:
        temporary.write_text(json.dumps({"keys": kept}, indent=1) + "\n", encoding="utf-8")
    _write_private(private, json.dumps(jwk) + "\n")
    return str(jwk["kid"]), len(kept)


def _write_private(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
