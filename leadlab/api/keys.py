"""API keys for programs: shown once, kept as a hash, revoked at once.

A key is ``ll_<id>_<secret>``. The secret is 256 random bits, so one round of SHA-256 is enough:
slow hashes such as scrypt protect what people choose and others can guess, and would let anybody
who sends wrong keys keep the processor busy.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
import secrets
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from leadlab.api.database import opened, told
from leadlab.api.identity import Principal, Role, is_name
from leadlab.api.roles import checked_grant, granted
from leadlab.errors import BadInput, NotProven, UnknownName

PREFIX = "ll_"
_SHAPE = re.compile(r"ll_([0-9a-f]{12})_([0-9a-f]{64})", re.ASCII)
_FIELDS = "id, tenant, name, role, scopes, agent, created_us, expires_us, revoked_us"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS api_keys (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
    scopes TEXT NOT NULL, agent TEXT, created_us INTEGER NOT NULL, expires_us INTEGER,
    revoked_us INTEGER, hash BLOB NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key; its secret is not.

    Attributes
    ----------
    id, tenant, name : str
        `name` says which program holds it.
    role : str
    scopes : tuple of str
    agent : str or None
    created_us, expires_us, revoked_us : int or None
        Microseconds since 1970 UTC.
    """

    id: str
    tenant: str
    name: str
    role: Role
    scopes: tuple[str, ...]
    agent: str | None
    created_us: int
    expires_us: int | None = None
    revoked_us: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)


class KeyStore:
    """API keys in a SQLite file; several processes may share it.

    Parameters
    ----------
    path : Path

    Raises
    ------
    StoreFailed
        If the file cannot be used; so of every method.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = KeyStore(Path(folder) / "api.db")
    ...     text, key = store.create(tenant="acme", name="crm", role="viewer", now_us=1)
    ...     who = store.find(text, now_us=2)
    ...     store.close()
    >>> who.tenant, who.subject == f"key:{key.id}"
    ('acme', True)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._database = opened(path, _SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def create(
        self,
        *,
        tenant: str,
        name: str,
        role: Role,
        now_us: int,
        scopes: Iterable[str] | None = None,
        agent: str | None = None,
        expires_us: int | None = None,
    ) -> tuple[str, ApiKey]:
        """A new key: its text, which is never shown again, and what is known of it.

        Raises
        ------
        UnknownName, BadInput
            If the scopes or the agent do not go with the role, or a name is none.
        """
        for what, given in (("tenant", tenant), ("name", name), ("agent", agent or "-")):
            if not is_name(given):
                raise BadInput(f"this is no {what}", got=repr(given)[:80])
        allowed = tuple(sorted(checked_grant(role, scopes, agent)))
        key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
        key = ApiKey(key_id, tenant, name, role, allowed, agent, now_us, expires_us)
        row = (key_id, tenant, name, role, json.dumps(allowed), agent, now_us, expires_us, None)
        with told(self.path), self._lock:
            self._database.execute(
                f"INSERT INTO api_keys ({_FIELDS}, hash) VALUES (?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
                (*row, _hash(secret)),
            )
        return f"{PREFIX}{key_id}_{secret}", key

    def listed(self, tenant: str | None = None) -> list[ApiKey]:
        """Keys of `tenant` (of all when not given), oldest first."""
        with told(self.path), self._lock:
            rows = self._database.execute(
                f"SELECT {_FIELDS} FROM api_keys WHERE tenant = ? OR ? IS NULL "  # noqa: S608
                "ORDER BY created_us, id",
                (tenant, tenant),
            ).fetchall()
        return [_key(row) for row in rows]

    def revoke(self, key_id: str, *, now_us: int, tenant: str | None = None) -> None:
        """From now on the key opens nothing; revoking again changes nothing.

        Parameters
        ----------
        key_id : str
        now_us : int
        tenant : str, optional
            Only a key of this tenant.

        Raises
        ------
        UnknownName
            If there is no such key.
        """
        with told(self.path), self._lock:
            changed = self._database.execute(
                "UPDATE api_keys SET revoked_us = coalesce(revoked_us, ?) "
                "WHERE id = ? AND (tenant = ? OR ? IS NULL)",
                (now_us, key_id, tenant, tenant),
            ).rowcount
        if not changed:
            raise UnknownName("API key", key_id, [key.id for key in self.listed(tenant)])

    def find(self, text: str, *, now_us: int) -> Principal:
        """Who holds the key `text`.

        Raises
        ------
        NotProven
            If there is no such key, or it was revoked or has expired; the text is not told.
        """
        shape = _SHAPE.fullmatch(text)
        if shape is None:
            raise NotProven("this is no API key")
        with told(self.path), self._lock:
            row = self._database.execute(
                f"SELECT {_FIELDS}, hash FROM api_keys WHERE id = ?",  # noqa: S608
                (shape[1],),
            ).fetchone()
        kept = row[-1] if row is not None else bytes(32)
        if not hmac.compare_digest(kept, _hash(shape[2])) or row is None:
            raise NotProven("the API key is not known")
        key = _key(row[:-1])
        if key.revoked_us is not None:
            raise NotProven("the API key was revoked")
        if key.expires_us is not None and key.expires_us <= now_us:
            raise NotProven("the API key has expired")
        scopes = granted(key.role, key.scopes)
        until_s = math.inf if key.expires_us is None else key.expires_us / 1e6
        own = f"key:{key.id}"
        return Principal(key.tenant, own, key.role, scopes, key.agent, own, until_s)

    def revoked(self) -> frozenset[str]:
        """What requests by keys that were taken back were counted by: `Principal.key_id`."""
        with told(self.path), self._lock:
            rows = self._database.execute("SELECT id FROM api_keys WHERE revoked_us IS NOT NULL")
            return frozenset(f"key:{one}" for (one,) in rows.fetchall())


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _key(row: tuple[Any, ...]) -> ApiKey:
    key_id, tenant, name, role, scopes, *others = row
    agent, created_us, expires_us, revoked_us = others
    return ApiKey(
        key_id, tenant, name, role, tuple(json.loads(scopes)), agent, created_us, expires_us,
        revoked_us,
    )  # fmt: skip
