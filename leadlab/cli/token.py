"""``leadlab token``: tokens and API keys, and the keys that sign tokens."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal

import typer

from leadlab.api.identity import Principal, is_name
from leadlab.api.keys import KeyStore
from leadlab.api.roles import ROLES, checked_grant, role_named
from leadlab.api.settings import ApiSettings
from leadlab.cli.console import out, print_json, table
from leadlab.errors import BadInput, ConfigError

app = typer.Typer(
    help="Tokens and API keys for the live service, and the keys that sign tokens.",
    no_args_is_help=True,
)
EXAMPLE = "\n\nExample: `leadlab token {}`"
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Tenant = Annotated[str, typer.Option(help="Whose data it opens.")]
RoleName = Annotated[str, typer.Option("--role", help=", ".join(ROLES))]
Scopes = Annotated[
    str | None, typer.Option(help="Only these of the role's scopes, between commas.")
]
Agent = Annotated[str | None, typer.Option(help="With role agent: whose leads it opens.")]
Hours = Annotated[float | None, typer.Option(help="How long it holds.", min=0.01, max=24 * 3660)]


def _list(scopes: str | None) -> list[str] | None:
    return None if scopes is None else [one.strip() for one in scopes.split(",") if one.strip()]


def _store() -> KeyStore:
    return KeyStore(ApiSettings.from_environment().keys_file)


def _now_us() -> int:
    return time.time_ns() // 1000


def _moment(at_us: int | None) -> str:
    if at_us is None:
        return "-"
    return dt.datetime.fromtimestamp(at_us / 1e6, dt.UTC).strftime("%Y-%m-%d %H:%M")


def _signing() -> ModuleType:
    try:
        from leadlab.api import signing  # noqa: PLC0415  (PyJWT comes with an extra)
    except ModuleNotFoundError as missing:
        raise ConfigError(
            f"signing needs the package {missing.name}", hint="pip install 'leadlab[live]'"
        ) from missing
    return signing


@app.command(
    help="Print a signed token; LEADLAB_JWT_KEY or LEADLAB_JWT_SECRET signs it."
    + EXAMPLE.format("issue --tenant acme --role agent --agent bea --hours 8")
)
def issue(
    tenant: Tenant,
    role: RoleName,
    subject: Annotated[
        str | None, typer.Option(help="Who holds it, for the audit; the agent or the role else.")
    ] = None,
    scopes: Scopes = None,
    agent: Agent = None,
    hours: Hours = 12.0,
    as_json: AsJson = False,
) -> None:
    """Check, sign, print."""
    named = role_named(role)
    granted = checked_grant(named, _list(scopes), agent)
    holder = Principal(tenant, subject or agent or role, named, granted, agent, "")
    for name in (holder.tenant, holder.subject, holder.agent or "-"):
        if not is_name(name):
            raise BadInput("this is no name", got=repr(name)[:80])
    now_s, seconds = int(time.time()), int((hours or 12.0) * 3600)
    token = _signing().issue(
        ApiSettings.from_environment(), holder, now_s=now_s, seconds=max(seconds, 1)
    )
    if as_json:
        print_json({"token": token, "subject": holder.subject, "expires_s": now_s + seconds})
        return
    typer.echo(token)


@app.command(
    help="Make an API key for a program; it is shown this once."
    + EXAMPLE.format("key --tenant acme --role manager --scopes events:write --name website")
)
def key(
    tenant: Tenant,
    role: RoleName,
    name: Annotated[str, typer.Option(help="Which program holds it.")] = "program",
    scopes: Scopes = None,
    agent: Agent = None,
    hours: Hours = None,
    as_json: AsJson = False,
) -> None:
    """Check, keep the hash, print the key."""
    store, now_us = _store(), _now_us()
    try:
        text, made = store.create(
            tenant=tenant,
            name=name,
            role=role_named(role),
            now_us=now_us,
            scopes=_list(scopes),
            agent=agent,
            expires_us=None if hours is None else now_us + int(hours * 3.6e9),
        )
    finally:
        store.close()
    if as_json:
        print_json({"key": text, **made.to_json()})
        return
    typer.echo(text)


@app.command(help="List API keys." + EXAMPLE.format("keys --tenant acme"))
def keys(
    tenant: Annotated[str | None, typer.Option(help="Of one tenant only.")] = None,
    as_json: AsJson = False,
) -> None:
    """What is known of each; secrets are not."""
    store = _store()
    try:
        found = store.listed(tenant)
    finally:
        store.close()
    if as_json:
        print_json([one.to_json() for one in found])
        return
    rows = [
        [k.id, k.tenant, k.name, k.role, ", ".join(k.scopes), *map(_moment, times)]
        for k in found
        for times in [(k.created_us, k.expires_us, k.revoked_us)]
    ]
    columns = ["id", "tenant", "name", "role", "scopes", "made (UTC)", "expires", "revoked"]
    table(f"{len(rows)} API keys", columns, rows)


@app.command(help="Take back an API key, at once." + EXAMPLE.format("revoke 3f1c09ab77de"))
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `leadlab token keys` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Mark it revoked."""
    store = _store()
    try:
        store.revoke(key_id, now_us=_now_us())
    finally:
        store.close()
    if as_json:
        print_json({"revoked": key_id})
        return
    out.print(f"{key_id} opens nothing any more.")


@app.command(
    help="Make a pair of signing keys; running it again rotates them, and older public keys stay."
    + EXAMPLE.format("jwks --out keys/jwks.json")
)
def jwks(
    to: Annotated[Path, typer.Option("--out", help="Public keys (JWK Set), for LEADLAB_JWKS.")],
    private: Annotated[
        Path | None,
        typer.Option(help="Private key, for LEADLAB_JWT_KEY; beside --out when not given."),
    ] = None,
    algorithm: Annotated[Literal["EdDSA", "RS256"], typer.Option(help="Of the new key.")] = "EdDSA",
    keep: Annotated[int, typer.Option(help="Public keys to keep, with the new one.", min=1)] = 3,
    as_json: AsJson = False,
) -> None:
    """Publish the new key, then keep its private half for its owner alone."""
    hidden = private or to.with_name(f"{to.stem}.private.json")
    if hidden == to:
        raise BadInput("public and private keys need a file each", got=str(to))
    kid, count = _signing().rotate(to, hidden, algorithm, keep=keep)
    if as_json:
        print_json({"kid": kid, "public": str(to), "private": str(hidden), "keys": count})
        return
    out.print(f"Key {kid} ({algorithm}) is made; {count} public keys are in force. Set:")
    out.print(f"  LEADLAB_JWKS={to}", highlight=False)
    out.print(f"  LEADLAB_JWT_KEY={hidden}", highlight=False)
