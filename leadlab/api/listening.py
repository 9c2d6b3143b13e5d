"""A listening socket fit for thousands of slow readers."""

from __future__ import annotations

import socket

from leadlab.errors import ConfigError

SEND_BYTES = 131_072
"""What the kernel holds for one connection: older messages are better replaced than queued."""
UNREAD_MS = 60_000
BACKLOG = 4_096


def listening_socket(host: str, port: int, unread_ms: int = UNREAD_MS) -> socket.socket:
    """Open a socket to hand to the server; connections inherit its bounds.

    Parameters
    ----------
    host : str
    port : int
        0 for any that is free.
    unread_ms : int
        A connection whose other end takes nothing for so long is dropped, where the system can.

    Raises
    ------
    ConfigError
        If the address cannot be used.

    Examples
    --------
    >>> with listening_socket("127.0.0.1", 0) as opened:
    ...     opened.getsockname()[0]
    '127.0.0.1'
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unread_ms)
        opened.bind((host, port))
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        what = f"cannot listen: {error.strerror}"
        raise ConfigError(what, where=f"{host}:{port}") from error
    opened.setblocking(False)
    return opened
