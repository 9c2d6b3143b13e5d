"""The stream over a WebSocket, as a plain ASGI application."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic
from typing import Annotated, Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from leadlab.api.broadcast import Broadcast
from leadlab.api.connection import converse
from leadlab.api.deps import chosen_protocol
from leadlab.api.filters import Wanted, wanted_from_query
from leadlab.api.frames import SOCKET, Payload
from leadlab.api.identity import Principal
from leadlab.api.problems import status_of
from leadlab.api.subscription import Farewell, Subscription
from leadlab.errors import BadInput, LeadlabError, UnknownName

PrincipalOf = Callable[[HTTPConnection], Awaitable[Principal]]
"""Says who asks; raises starlette's HTTPException with 401 or 403 where nobody may."""
MOST_CHARACTERS = 65_536
MOST_SAID, WITHIN_S = 20, 10.0
"""Messages that a client may send within so many seconds."""
TOO_BIG, FAILED, TOO_MUCH = 1009, 1011, 4429
BAD_QUERY = 4400
_HTTP = 4000
"""A refusal closes with 4000 and the HTTP status: 4401 for nobody, 4403 for one who may not."""


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """What a client may say: new filters, or a word to be said back."""

    subscribe: Wanted | msgspec.UnsetType = msgspec.UNSET
    ping: Annotated[str, msgspec.Meta(max_length=100)] | int | msgspec.UnsetType | None = (
        msgspec.UNSET
    )


_ASKED = msgspec.json.Decoder(Asked)


class StreamSocket:
    """Serves ``/v1/stream`` to WebSockets.

    Parameters
    ----------
    broadcast : Broadcast
    principal_of : callable
    """

    def __init__(self, broadcast: Broadcast, principal_of: PrincipalOf) -> None:
        self._broadcast = broadcast
        self._principal_of = principal_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept, subscribe, and send until one side ends."""
        await receive()
        connection = HTTPConnection(scope)
        chosen = chosen_protocol(connection)
        await send({"type": "websocket.accept", "subprotocol": chosen, "headers": []})
        try:
            principal = await self._principal_of(connection)
            wanted = wanted_from_query(connection.query_params.multi_items())
            member = await self._broadcast.subscribe(principal, wanted, SOCKET)
        except HTTPException as error:
            await _close(send, _HTTP + error.status_code, str(error.detail))
        except (BadInput, UnknownName) as error:
            await _close(send, BAD_QUERY, str(error))
        except LeadlabError as error:
            status = status_of(error)
            await _close(send, FAILED if status >= 500 else _HTTP + status, error.what)
        else:
            await self._serve(member, receive, send)

    async def _serve(self, member: Subscription, receive: Receive, send: Send) -> None:
        async def part(farewell: Farewell) -> None:
            await _text(send, member.notice(farewell.name, why=farewell.why))
            await _close(send, farewell.code, farewell.why)

        read = partial(self._read, member, receive)
        try:
            await converse(member, partial(_text, send), read, part, self._broadcast.grace_s)
        finally:
            self._broadcast.leave(member)

    async def _read(self, member: Subscription, receive: Receive) -> None:
        heard_s: deque[float] = deque(maxlen=MOST_SAID)
        while (message := await receive())["type"] == "websocket.receive":
            now_s = monotonic()
            if len(heard_s) == MOST_SAID and now_s - heard_s[0] < WITHIN_S:
                member.end(Farewell(TOO_MUCH, "error", "too much is said at once"))
                return
            heard_s.append(now_s)
            said = message.get("text") or message.get("bytes") or ""
            if len(said) > MOST_CHARACTERS:
                why = f"more than {MOST_CHARACTERS} characters"
                member.end(Farewell(TOO_BIG, "error", why))
                return
            await self._answer(member, said)

    async def _answer(self, member: Subscription, said: str | bytes) -> None:
        try:
            asked = _ASKED.decode(said)
            if asked.subscribe is not msgspec.UNSET:
                await self._broadcast.change(member, asked.subscribe)
                member.reply("subscribed")
        except (msgspec.MsgspecError, RecursionError) as error:
            member.reply("error", why=str(error)[:500])
            return
        except LeadlabError as error:
            member.end(Farewell(FAILED, "error", error.what))
            return
        if asked.ping is not msgspec.UNSET:
            member.reply("pong", ping=asked.ping)
        elif asked.subscribe is msgspec.UNSET:
            member.reply("error", why="say subscribe or ping")


async def _text(send: Send, frame: Payload) -> None:
    await send({"type": "websocket.send", "text": frame})


async def _close(send: Send, code: int, why: str) -> None:
    reason = why.encode()[:120].decode(errors="ignore")
    message: dict[str, Any] = {"type": "websocket.close", "code": code, "reason": reason}
    await send(message)
