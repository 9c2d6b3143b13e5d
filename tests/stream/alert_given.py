"""An alert, and a webhook to send it to, for tests of delivery."""

from __future__ import annotations

import ssl

import trustme

from leadlab.stream.alerts import Alert, AlertStore
from leadlab.stream.alerts.webhook import Webhook

S = 1_000_000
SECRET = b"a secret of some length"
LOCAL = ("127.0.0.1", "localhost")


def alert(name: str = "a1", **more) -> Alert:
    fields = {"rule": "hot", "tenant": "acme", "severity": "info", "key": "ann", "at_us": 5,
              "message": "ann became hot", "lead": "ann", "due_us": 5, "routes": ("hook",),
              **more}  # fmt: skip
    return Alert(id=name, **fields)


def hook(port: int, **more) -> Webhook:
    url = f"http://127.0.0.1:{port}/hook?x=1"
    fields = {"clock_s": lambda: 1_000.0, "private_hosts": LOCAL, "timeout_s": 5.0, **more}
    return Webhook(url, SECRET, **fields)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.us = 1_000 * S

    def __call__(self) -> int:
        return self.us


def steps(store: AlertStore, name: str = "a1") -> list[str]:
    return [step.what for step in store.history("acme", name)]


def authority() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's side and a client's side of one authority."""
    ca = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost", "127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    ca.configure_trust(client)
    return server, client
