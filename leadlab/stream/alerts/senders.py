"""Ways out made from what the file of rules says, with secrets from the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from leadlab.errors import ConfigError
from leadlab.stream.alerts.actions import ActionRun
from leadlab.stream.alerts.alert import Alert, alert_message
from leadlab.stream.alerts.answer import Answer, Sender
from leadlab.stream.alerts.mail import Mail
from leadlab.stream.alerts.routes import MailRoute, WebhookRoute
from leadlab.stream.alerts.store import ACTION
from leadlab.stream.alerts.webhook import Webhook
from leadlab.stream.message import Message

if TYPE_CHECKING:
    from leadlab.stream.alerts.rules_file import RulesFile

PRIVATE_HOSTS = "LEADLAB_WEBHOOK_PRIVATE_HOSTS"
"""Environment variable: hosts, divided by commas, that webhooks may reach though private."""
_SHORTEST_SECRET = 16


def senders_of(
    rules: RulesFile,
    environ: Mapping[str, str],
    publish: Callable[[Message], None],
    clock_s: Callable[[], float],
) -> dict[str, Sender]:
    """A sender for each route and action of a file of rules.

    Parameters
    ----------
    rules : RulesFile
    environ : mapping of str to str
        Where secrets are.
    publish : callable
        Tells those who watch the app.
    clock_s : callable
        Seconds UTC.

    Raises
    ------
    ConfigError
        If a variable is missing or cannot be used.
    """

    def told(name: str, route: str) -> str:
        value = environ.get(name)
        if not value:
            raise ConfigError(
                "a route needs a variable that is not set", where=route, expected=name
            )
        return value

    def to_app(alert: Alert, key: str) -> Answer:
        publish(alert_message(alert))
        return Answer(ok=True, note="published")

    private = {h.strip() for h in environ.get(PRIVATE_HOSTS, "").split(",") if h.strip()}
    made: dict[str, Sender] = {}
    for name, route in rules.routes.items():
        if isinstance(route, WebhookRoute):
            secret = told(route.secret_env, name).encode()
            if len(secret) < _SHORTEST_SECRET:
                raise ConfigError(
                    "a short secret", where=route.secret_env, expected=f"{_SHORTEST_SECRET} bytes"
                )
            made[name] = Webhook(
                told(route.url_env, name), secret, clock_s=clock_s, timeout_s=route.timeout_s,
                private_hosts=private, where=route.url_env,
            )  # fmt: skip
        elif isinstance(route, MailRoute):
            login = [told(v, name) if v else None for v in (route.user_env, route.password_env)]
            made[name] = Mail(route, *login)
        else:
            made[name] = to_app
    actions = {rule.action for rule in rules.rules if rule.action}
    return {**made, **{ACTION + action: ActionRun(action) for action in sorted(actions)}}
