"""Alerts as e-mails by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate

from leadlab.stream.alerts.alert import Alert, moment
from leadlab.stream.alerts.answer import Answer
from leadlab.stream.alerts.routes import MailRoute


class Mail:
    """Sends alerts to some people.

    Parameters
    ----------
    route : MailRoute
    user, password : str or None
        Both or none.
    trusted : ssl.SSLContext, optional
        Whose certificates count; the system's if None.
    """

    def __init__(
        self,
        route: MailRoute,
        user: str | None = None,
        password: str | None = None,
        *,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._route, self._user, self._password = route, user, password
        self._trusted = trusted or ssl.create_default_context()

    def __call__(self, alert: Alert, key: str) -> Answer:
        """Make one attempt."""
        try:
            with self._connected() as server:
                if self._user is not None and self._password is not None:
                    server.login(self._user, self._password)
                refused = server.send_message(letter(alert, key, self._route))
        except smtplib.SMTPResponseException as error:
            denied = isinstance(error, smtplib.SMTPAuthenticationError)
            again = denied or error.smtp_code < 500  # a password can be mended
            return Answer(ok=False, again=again, note=f"SMTP {error.smtp_code}")
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _ in error.recipients.values()})
            return Answer(ok=False, again=codes[0] < 500, note=f"SMTP {codes}: recipients refused")
        except (OSError, smtplib.SMTPException) as error:
            return Answer(ok=False, note=type(error).__name__)
        note = f"{len(refused)} of {len(self._route.to)} recipients refused" if refused else "sent"
        return Answer(ok=True, note=note)

    def _connected(self) -> smtplib.SMTP:
        route = self._route
        if route.tls == "implicit":
            return smtplib.SMTP_SSL(
                route.host, route.port, timeout=route.timeout_s, context=self._trusted
            )
        server = smtplib.SMTP(route.host, route.port, timeout=route.timeout_s)
        if route.tls == "starttls":
            try:
                server.starttls(context=self._trusted)
            except (OSError, smtplib.SMTPException):
                server.close()
                raise
        return server


def letter(alert: Alert, key: str, route: MailRoute) -> EmailMessage:
    """The e-mail; a repeated delivery bears the same Message-ID.

    Examples
    --------
    >>> one = Alert(id="a1", rule="r", tenant="acme", severity="info", key="", at_us=0,
    ...             message="Answers are slow", due_us=0)
    >>> to = MailRoute(type="smtp", host="h", sender="a@example.com", to=("b@example.com",))
    >>> letter(one, "a1:mail:raised", to)["Subject"]
    '[info] Answers are slow'
    """
    made = EmailMessage()
    made["Subject"] = f"[{alert.severity}] {_line(alert.message)[:150]}"
    made["From"] = Address(addr_spec=route.sender)
    made["To"] = [Address(addr_spec=one) for one in route.to]
    made["Date"] = formatdate(alert.at_us / 1e6)
    made["Message-ID"] = f"<{key.replace(':', '.')}@{route.sender.split('@')[1]}>"
    made["Auto-Submitted"] = "auto-generated"
    lines = [
        _line(alert.message), "", f"Rule: {alert.rule}", f"Severity: {alert.severity}",
        f"At: {moment(alert.at_us)}", *([f"Lead: {_line(alert.lead)}"] if alert.lead else []),
        f"Alert: {alert.id}",
    ]  # fmt: skip
    made.set_content("\n".join(lines) + "\n")
    return made


def _line(text: str) -> str:
    """On one line, without what no mail may hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
