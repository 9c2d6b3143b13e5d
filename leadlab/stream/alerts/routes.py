"""Ways out for alerts, as they are written in the file; secrets are named, never written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from leadlab.schema.fields import Name
from leadlab.stream.alerts.conditions import Strict

Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,99}$")]
"""Name of an environment variable."""
Address = Annotated[str, StringConstraints(pattern=r"^[^@\s,;<>]{1,64}@[^@\s,;<>]{1,250}$")]
Timeout = Annotated[float, Field(gt=0, le=30)]


class _Route(Strict):
    tenants: tuple[Name, ...] | None = Field(default=None, min_length=1)


class AppRoute(_Route):
    """To whoever watches the topic ``alerts``."""

    type: Literal["app"]


class WebhookRoute(_Route):
    """A signed POST.

    Attributes
    ----------
    url_env, secret_env : str
        Environment variables with the address and the secret that bodies are signed with.
    timeout_s : float
        For the connection, and again for the exchange.
    """

    type: Literal["webhook"]
    url_env: Variable
    secret_env: Variable
    timeout_s: Timeout = 10.0


class MailRoute(_Route):
    """An e-mail by SMTP.

    Attributes
    ----------
    host, port : str, int
    tls : str
        "starttls", "implicit", or "none" for a relay on the same host.
    sender, to : str, tuple of str
    user_env, password_env : str or None
        Environment variables with the credentials.
    timeout_s : float
        For each step of the exchange.
    """

    type: Literal["smtp"]
    host: Name
    port: Annotated[int, Field(gt=0, lt=65536)] = 587
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    sender: Address
    to: tuple[Address, ...] = Field(min_length=1)
    user_env: Variable | None = None
    password_env: Variable | None = None
    timeout_s: Timeout = 10.0


Route = Annotated[AppRoute | WebhookRoute | MailRoute, Field(discriminator="type")]
