"""What a route asks for: who is there, and whether they may.

A route takes ``Depends(require("leads:read"))``, a stream
``Depends(require_stream("stream:read"))``; the application carries a `Gate` as ``app.state.gate``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.requests import HTTPConnection, Request

from leadlab.api.identity import Principal
from leadlab.api.keys import PREFIX, KeyStore
from leadlab.api.limits import Limits
from leadlab.api.roles import need
from leadlab.api.tickets import Tickets
from leadlab.api.tokens import Verifier
from leadlab.errors import NotProven

PROTOCOL = "leadlab.v1"
"""WebSocket subprotocol that the service answers with; the one with a token is never repeated."""
_BEARER = "bearer."
_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="A signed token.")
_api_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="`ll_<id>_<secret>`")


@dataclass(frozen=True)
class Gate:
    """All that decides who comes in.

    Attributes
    ----------
    verifier : Verifier
    keys : KeyStore
    tickets : Tickets
    limits : Limits
    clock : callable
        Seconds since 1970 UTC.
    """

    verifier: Verifier
    keys: KeyStore
    tickets: Tickets
    limits: Limits
    clock: Callable[[], float]

    def prove(self, credential: str) -> Principal:
        """Who holds this token or API key.

        Raises
        ------
        NotProven
        """
        if credential.startswith(PREFIX):
            return self.keys.find(credential, now_us=int(self.clock() * 1e6))
        return self.verifier.verify(credential, self.clock())

    async def admit(self, connection: HTTPConnection, *, stream: bool) -> Principal:
        """Who asks; counted, and left in ``connection.state`` with what remains of the limit.

        Parameters
        ----------
        connection : HTTPConnection
            A request or a WebSocket.
        stream : bool
            Whether a ticket or a subprotocol will do as well.

        Raises
        ------
        NotProven
        TooMuch
            If the limit is reached; failed proofs are counted by address.
        """
        try:
            credential, ticket = _credential(connection, stream=stream)
            who = self.tickets.take(credential, self.clock()) if ticket else self.prove(credential)
        except NotProven:
            await self.limits.take("anonymous", _address(connection))
            raise
        # With its length a tenant's name cannot run into what follows it.
        whose = f"{len(who.tenant)}:{who.tenant}:{who.key_id}"
        allowance = await self.limits.take(who.role, whose)
        connection.state.principal, connection.state.allowance = who, allowance
        return who


def _credential(connection: HTTPConnection, *, stream: bool) -> tuple[str, bool]:
    """The one proof that was sent, and whether it is a ticket."""
    found = [(key, False) for key in connection.headers.getlist("x-api-key")]
    for value in connection.headers.getlist("authorization"):
        scheme, _, credential = value.partition(" ")
        if scheme.lower() != "bearer":
            raise NotProven("only 'Authorization: Bearer ...' is understood")
        found.append((credential.strip(), False))
    if stream:
        offered = connection.scope.get("subprotocols", ())
        found += [(o.removeprefix(_BEARER), False) for o in offered if o.startswith(_BEARER)]
        found += [(ticket, True) for ticket in connection.query_params.getlist("ticket")]
    if not found:
        raise NotProven(
            "nothing proves who asks",
            hint="Send 'Authorization: Bearer <token>' or 'X-API-Key: <key>'.",
        )
    if len(found) > 1:
        raise NotProven("there is more than one proof of who asks", hint="Send one.")
    return found[0]


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client is not None else "unknown"


def chosen_protocol(connection: HTTPConnection) -> str | None:
    """Subprotocol to accept a WebSocket with: `PROTOCOL` where offered, never the token."""
    return PROTOCOL if PROTOCOL in connection.scope.get("subprotocols", ()) else None


def gate_of(connection: HTTPConnection) -> Gate:
    """The application's gate."""
    gate = connection.app.state.gate
    assert isinstance(gate, Gate)
    return gate


async def principal(
    request: Request,
    _token: Annotated[object, Depends(_bearer)],
    _key: Annotated[object, Depends(_api_key)],
) -> Principal:
    """Who sends a request; the two last parameters only tell OpenAPI how.

    Raises
    ------
    NotProven, TooMuch
    """
    return await gate_of(request).admit(request, stream=False)


def require(scope: str) -> Callable[..., Awaitable[Principal]]:
    """A dependency: who asks, if they were granted `scope`; else `NotAllowed`."""

    async def permitted(who: Annotated[Principal, Depends(principal)]) -> Principal:
        need(who, scope)
        return who

    return permitted


def require_stream(scope: str) -> Callable[[HTTPConnection], Awaitable[Principal]]:
    """The same for WebSockets and event streams, where a ticket or a subprotocol will do.

    What it gives is a dependency, and may as well be called with the connection.
    """

    async def permitted(connection: HTTPConnection) -> Principal:
        who = await gate_of(connection).admit(connection, stream=True)
        need(who, scope)
        return who

    return permitted
