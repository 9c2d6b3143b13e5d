"""Sends one subscription's frames over one connection until either ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress

from leadlab.api.frames import Payload
from leadlab.api.subscription import Farewell, Subscription

Send = Callable[[Payload], Awaitable[None]]


async def converse(
    member: Subscription,
    send: Send,
    read: Callable[[], Coroutine[None, None, None]],
    part: Callable[[Farewell], Awaitable[None]],
    grace_s: float,
) -> None:
    """Send what comes while reading what the client says; returns when it is gone or cut.

    Parameters
    ----------
    member : Subscription
    send : callable
        Sends a frame and returns once the connection takes more; raises OSError if it is gone.
    read : callable
        Reads until the client is gone.
    part : callable
        Says farewell to a client that is cut.
    grace_s : float
        Time that this may take.
    """
    sender = asyncio.create_task(_send_all(member, send))
    reader = asyncio.create_task(read())
    member.sent_by(sender)
    try:
        await asyncio.wait({sender, reader}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sender, reader):
            task.cancel()
        results = await asyncio.gather(sender, reader, return_exceptions=True)
    if member.farewell is not None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(grace_s):
                await part(member.farewell)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, OSError):
            raise result


async def _send_all(member: Subscription, send: Send) -> None:
    while (frame := await member.next()) is not None:
        await send(frame)
