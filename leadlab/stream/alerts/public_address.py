"""Where a webhook may go: addresses of the open internet, checked after the name was resolved.

The connection goes to the very address that was checked, so that a name which resolves to another
one a moment later gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from leadlab.errors import ConfigError

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """Whether an IP address is one of the open internet, also behind a translated form.

    Examples
    --------
    >>> [is_public(a) for a in ("8.8.8.8", "10.0.0.1", "::ffff:127.0.0.1", "169.254.169.254")]
    [True, False, False, False]
    """
    address = ipaddress.ip_address(text.split("%", maxsplit=1)[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.teredo is not None:
            return False
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast


def public_addresses(host: str, port: int, allowed: Collection[str]) -> list[str]:
    """Addresses of a host that may be connected to.

    Parameters
    ----------
    host : str
    port : int
    allowed : collection of str
        Hosts that may be private.

    Returns
    -------
    list of str
        Empty where the host has private ones: then none of them is to be trusted.

    Raises
    ------
    OSError
        If the name cannot be resolved.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if host in allowed or all(is_public(a) for a in addresses):
        return addresses
    return []


def checked_url(url: str, allowed: Collection[str], where: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and path of a webhook's address.

    Raises
    ------
    ConfigError
        If it is no plain https address; http is for allowed hosts only.

    Examples
    --------
    >>> checked_url("https://hooks.example.com/a?b=1", (), "HOOK")
    ('https', 'hooks.example.com', 443, '/a?b=1')
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError("not the address of a webhook", where=where) from error
    schemes = ("https", "http") if host in allowed else ("https",)
    plain = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in schemes or not host or parts.username is not None or not plain:
        raise ConfigError(
            "not the address of a webhook",
            where=where,
            expected=f"{' or '.join(schemes)}, a host, no name or password",
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path
