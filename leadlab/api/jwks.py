"""Public keys in a file that may change while the service runs."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from leadlab.errors import BrokenFile

ALGORITHMS = {("RSA", None): "RS256", ("OKP", "Ed25519"): "EdDSA"}
"""What a kind of key is used for; a key is bound to it, whatever a token says."""
SHORTEST_RSA = 2048
"""Bits (RFC 7518, 3.3)."""
PAUSE_S = 10.0
"""Between two readings of an unchanged file on account of unknown key ids."""
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key and the one algorithm that it may be used with."""

    kid: str
    algorithm: str
    key: Any


def read_keys(path: Path) -> dict[str, PublicKey]:
    """Keys of a JWK Set by their id.

    Keys of kinds or for uses that are not ours are left out, as RFC 7517, 5 asks.

    Raises
    ------
    BrokenFile
        If it is no JWK Set, holds a private or symmetric key, two keys of one id, or one too short.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BrokenFile("cannot read public keys", where=path.name, got=error) from error
    listed = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        raise BrokenFile("this is no JWK Set", where=path.name, expected='{"keys": [...]}')
    found: dict[str, PublicKey] = {}
    for jwk in listed:
        key = _public_key(jwk, path.name)
        if key is None:
            continue
        if key.kid in found:
            raise BrokenFile("two public keys have one id", where=path.name, got=key.kid)
        found[key.kid] = key
    return found


def _public_key(jwk: Any, where: str) -> PublicKey | None:
    if not isinstance(jwk, dict):
        raise BrokenFile("a member of a JWK Set is no key", where=where)
    if _PRIVATE & jwk.keys():
        raise BrokenFile(
            "a private key lies among the public ones",
            where=where,
            hint="Take it out, and let nobody use it again.",
        )
    crv = jwk.get("crv")
    algorithm = ALGORITHMS.get((str(jwk.get("kty")), None if crv is None else str(crv)))
    kid = jwk.get("kid")
    ours = jwk.get("use", "sig") == "sig" and jwk.get("alg", algorithm) == algorithm
    if algorithm is None or not ours or not isinstance(kid, str) or not kid:
        return None
    try:
        key = jwt.PyJWK(jwk, algorithm=algorithm).key
    except (jwt.PyJWTError, KeyError) as error:
        raise BrokenFile("a public key is damaged", where=where, got=f"kid {kid}") from error
    if isinstance(key, RSAPublicKey) and key.key_size < SHORTEST_RSA:
        raise BrokenFile("an RSA key is too short", where=where, got=f"{key.key_size} bits")
    return PublicKey(kid, algorithm, key)


class KeyFile:
    """The public keys in force; the file is read again when it changes.

    A file that is gone gives no key at all. One that cannot be read leaves the keys before it in
    force, is logged, and shows in `problem`: a half-written file must not lock everybody out.

    Parameters
    ----------
    path : Path
        A JWK Set.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: str | None = None
        self._keys: dict[str, PublicKey] = {}
        self._seen: tuple[int, int, int] | None = None
        self._asked_s = float("-inf")
        self._lock = threading.Lock()
        self._read_if_changed()

    def find(self, kid: str, now_s: float) -> PublicKey | None:
        """The key of that id; None where there is none.

        Parameters
        ----------
        kid : str
        now_s : float
            Clock in seconds; an unknown id has the file read again once in `PAUSE_S`, even where
            it looks unchanged, because a clock of files may be coarse.
        """
        with self._lock:
            self._read_if_changed()
            if kid not in self._keys and not 0 <= now_s - self._asked_s < PAUSE_S:
                self._asked_s = now_s
                self._seen = None
                self._read_if_changed()
            return self._keys.get(kid)

    def _read_if_changed(self) -> None:
        try:
            state = self.path.stat()
            seen = (state.st_mtime_ns, state.st_ino, state.st_size)
            if seen == self._seen:
                return
            self._seen = seen
            self._keys, self.problem = read_keys(self.path), None
        except FileNotFoundError:
            self._keys, self._seen = {}, None
            self._tell(f"no file of public keys: {self.path.name}")
        except (BrokenFile, OSError) as error:
            self._tell(str(error))

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            _log.warning("public keys cannot be read", extra={"problem": problem})
        self.problem = problem
