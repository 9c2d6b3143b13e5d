"""Alerts as signed POST requests: one attempt each, no redirects, bounded in time and size."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Collection
from contextlib import suppress

import msgspec

from leadlab.stream.alerts.alert import Alert, moment
from leadlab.stream.alerts.answer import Answer
from leadlab.stream.alerts.public_address import checked_url, public_addresses
from leadlab.stream.alerts.signature import IDEMPOTENCY, SIGNATURE, TIMESTAMP, sign

_TRANSIENT = (408, 409, 425, 429)
_READ = 4096


class Webhook:
    """Sends alerts to one address.

    Parameters
    ----------
    url : str
    secret : bytes
        That bodies are signed with.
    clock_s : callable
        Seconds UTC, for the signature.
    timeout_s : float
        For the connection, and again for the exchange.
    private_hosts : collection of str
        Hosts that may have private addresses, and be spoken to without TLS.
    trusted : ssl.SSLContext, optional
        Whose certificates count; the system's if None.
    where : str
        Named in errors instead of the address, which may hold a secret.

    Raises
    ------
    ConfigError
        If the address cannot be used.
    """

    def __init__(
        self,
        url: str,
        secret: bytes,
        *,
        clock_s: Callable[[], float],
        timeout_s: float = 10.0,
        private_hosts: Collection[str] = (),
        trusted: ssl.SSLContext | None = None,
        where: str = "url",
    ) -> None:
        self._scheme, self._host, self._port, self._path = checked_url(url, private_hosts, where)
        self._secret, self._clock_s, self._timeout_s = secret, clock_s, timeout_s
        self._private_hosts = frozenset(private_hosts)
        self._trusted = trusted or ssl.create_default_context()

    def __call__(self, alert: Alert, key: str) -> Answer:
        """Make one attempt."""
        body = body_of(alert)
        try:
            addresses = public_addresses(self._host, self._port, self._private_hosts)
            if not addresses:
                return Answer(ok=False, again=False, note="refused: not a public address")
            return self._post(addresses[0], body, self._headers(body, key))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer(ok=False, note=type(error).__name__)

    def _headers(self, body: bytes, key: str) -> dict[str, str]:
        now_s = int(self._clock_s())
        return {
            "Content-Type": "application/json",
            "User-Agent": "leadlab",
            IDEMPOTENCY: key,
            TIMESTAMP: str(now_s),
            SIGNATURE: sign(self._secret, body, now_s),
        }

    def _post(self, address: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        connection.sock = socket.create_connection((address, self._port), timeout=self._timeout_s)
        if self._scheme == "https":
            connection.sock = self._trusted.wrap_socket(
                connection.sock, server_hostname=self._host, do_handshake_on_connect=False
            )
        deadline = threading.Timer(self._timeout_s, _cut, [connection.sock])
        deadline.daemon = True
        deadline.start()
        try:
            if isinstance(connection.sock, ssl.SSLSocket):
                connection.sock.do_handshake()
            connection.request("POST", self._path, body, headers)
            response = connection.getresponse()
            response.read(_READ)
            return _answer(response)
        finally:
            deadline.cancel()
            connection.close()


def body_of(alert: Alert) -> bytes:
    """What is sent of an alert.

    Examples
    --------
    >>> one = Alert(id="a1", rule="r", tenant="acme", severity="info", key="", at_us=0,
    ...             message="slow", due_us=0)
    >>> msgspec.json.decode(body_of(one))["at"]
    '1970-01-01T00:00:00Z'
    """
    told = {
        "id": alert.id,
        "rule": alert.rule,
        "tenant": alert.tenant,
        "severity": alert.severity,
        "at": moment(alert.at_us),
        "message": alert.message,
        "lead": alert.lead,
        "agent": alert.agent,
        "event": alert.event,
        "kind": alert.kind,
        "value": alert.value,
    }
    return msgspec.json.encode(told)


def _cut(connected: socket.socket) -> None:
    """End an exchange that took too long, whatever it waits for."""
    with suppress(OSError):  # it has ended already
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _answer(response: http.client.HTTPResponse) -> Answer:
    status = response.status
    if 200 <= status < 300:
        return Answer(ok=True, note=f"status {status}")
    again = status >= 500 or status in _TRANSIENT
    asked = response.getheader("Retry-After") or ""
    wait_s = float(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 7 else 0.0
    return Answer(ok=False, again=again, note=f"status {status}", wait_s=wait_s)
