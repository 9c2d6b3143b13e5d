"""Senders: only to public addresses and proven receivers; mail, actions, and what a file says."""

from __future__ import annotations

import email
import logging
import random
import sys
from email import policy
from pathlib import Path

import pytest

from leadlab.errors import BrokenPlugin, ConfigError, UnknownName
from leadlab.stream.alerts import (
    ActionRun,
    AlertStore,
    Answer,
    Delivery,
    Outbox,
    parse_rules,
    senders_of,
)
from leadlab.stream.alerts.mail import Mail
from leadlab.stream.alerts.public_address import is_public
from leadlab.stream.alerts.routes import MailRoute
from leadlab.stream.alerts.webhook import Webhook, body_of
from tests.stream.alert_given import LOCAL, SECRET, Clock, alert, authority, steps
from tests.stream.alert_servers import mail_server, web_server


@pytest.fixture
def store(tmp_path: Path):
    with AlertStore(tmp_path / "alerts.db") as made:
        yield made


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
     "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1",
     "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "ff02::1", "2001:0:4136:e378::1"],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::1]"])
def test_a_private_host_is_not_connected_to(host: str) -> None:
    with web_server() as server:
        webhook = Webhook(
            f"https://{host}:{server.port}/", SECRET, clock_s=lambda: 1.0, timeout_s=2.0
        )
        answer = webhook(alert(), "k")
    assert not answer.ok and server.requests == []
    assert "public" in answer.note or answer.note == "gaierror"


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example.com/", "ftp://x/", "https://", "https://u:p@x/", "https://x:99999/",
     "https://x/\r\nHost: y", "https://x/ y", "javascript:1", "https://[::1", ""],
)  # fmt: skip
def test_no_address_of_a_webhook(url: str) -> None:
    with pytest.raises(ConfigError) as told:
        Webhook(url, SECRET, clock_s=lambda: 1.0, where="DESK_URL")
    assert "DESK_URL" in str(told.value) and (not url or url not in str(told.value))


def test_certificates_are_checked() -> None:
    ours, trusted = authority()
    with web_server(ours) as server:
        url = f"https://localhost:{server.port}/"
        fields = {"clock_s": lambda: 1.0, "private_hosts": LOCAL}
        assert Webhook(url, SECRET, trusted=trusted, **fields)(alert(), "k").ok
        stranger = Webhook(url, SECRET, **fields)(alert(), "k")
    assert not stranger.ok and "SSLCert" in stranger.note
    assert len(server.requests) == 1


# -- mail ------------------------------------------------------------------------------------------


def mail(port: int, *login: str, tls: str = "none", trusted=None) -> Mail:
    route = MailRoute(
        type="smtp", host="localhost", port=port, tls=tls, sender="desk@example.com",
        to=("ann@example.com", "bo@example.com"), timeout_s=5,
    )  # fmt: skip
    return Mail(route, *login, trusted=trusted)


def test_a_mail_says_what_happened_and_bears_the_key() -> None:
    ours, trusted = authority()
    with mail_server(ours) as box:
        box.user, box.password = "me", "pass"
        send = mail(box.port, "me", "pass", tls="starttls", trusted=trusted)
        odd = alert(message="änn\r\nBcc: x@example.com", lead="a\nb")
        assert send(odd, "a1:mail:raised").ok
        assert send(odd, "a1:mail:raised").ok
    assert box.encrypted == [True, True] and len(box.recipients) == 4
    first, second = (email.message_from_bytes(m, policy=policy.default) for m in box.mails)
    assert first["Message-ID"] == second["Message-ID"] == "<a1.mail.raised@example.com>"
    assert first["Subject"] == "[info] änn Bcc: x@example.com" and first["Bcc"] is None
    assert "Lead: a b" in first.get_content()


@pytest.mark.parametrize(
    ("reply", "ok", "again"),
    [("250 ok", True, True), ("451 later", False, True), ("554 never", False, False)],
)
def test_what_a_mail_server_says_counts(reply: str, ok: bool, again: bool) -> None:
    with mail_server() as box:
        box.reply = reply
        answer = mail(box.port)(alert(), "a1:mail:raised")
    assert (answer.ok, answer.again) == (ok, again)


def test_recipients_passwords_and_plain_text() -> None:
    with mail_server() as box:
        box.refuse = "ann@"
        assert "1 of 2" in mail(box.port)(alert(), "k").note
        box.refuse = "@"
        answer = mail(box.port)(alert(), "k")
        assert not answer.ok and not answer.again
        box.refuse, box.user, box.password = "", "me", "new"
        wrong = mail(box.port, "me", "old")(alert(), "k")
        assert not wrong.ok and wrong.again and "535" in wrong.note
        unsafe = mail(box.port, tls="starttls")(alert(), "k")
        assert not unsafe.ok
        port = box.port
    assert len(box.mails) == 1
    gone = mail(port)(alert(), "k")
    assert not gone.ok and gone.again


# -- actions and settings --------------------------------------------------------------------------


def test_actions_of_packages_run_once_and_their_failure_is_seen(
    store: AlertStore, tmp_path: Path, monkeypatch
) -> None:
    home = tmp_path / "site"
    (home / "acts-1.0.dist-info").mkdir(parents=True)
    (home / "acts-1.0.dist-info" / "METADATA").write_text("Name: acts\nVersion: 1.0\n")
    (home / "acts-1.0.dist-info" / "entry_points.txt").write_text(
        "[leadlab.actions]\nring = alert_acts:ring\nfall = alert_acts:fall\nlost = alert_acts:no\n"
    )
    (home / "alert_acts.py").write_text(
        "def ring(alert):\n    return 'rang for ' + alert.rule\n"
        "def fall(alert):\n    raise ZeroDivisionError('no')\n"
    )
    monkeypatch.syspath_prepend(str(home))
    store.add([alert("a1", action="ring", routes=()), alert("a2", action="fall", routes=())])
    senders = {f"action:{name}": ActionRun(name) for name in ("ring", "fall")}
    delivery = Delivery(Outbox(store.file), senders, rng=random.Random(1))
    delivery.run_all(Clock())
    assert steps(store) == ["raised", "delivered"]
    assert store.history("acme", "a1")[-1].note == "action:ring: rang for hot"
    assert steps(store, "a2") == ["raised", "given up"]
    assert "ZeroDivisionError" in store.history("acme", "a2")[-1].note
    with pytest.raises(BrokenPlugin):
        ActionRun("lost")
    with pytest.raises(UnknownName, match="Did you mean 'ring'"):
        ActionRun("rng")
    sys.modules.pop("alert_acts", None)


def test_the_log_names_nobody(caplog) -> None:
    with caplog.at_level(logging.WARNING):
        assert ActionRun("log")(alert(), "k") == Answer(ok=True, note="logged")
    assert "hot" in caplog.text and "ann" not in caplog.text


FILE = """version: 1
routes:
  app: {type: app}
  desk: {type: webhook, url_env: DESK_URL, secret_env: DESK_SECRET}
  mail: {type: smtp, host: h, sender: a@example.com, to: [b@example.com], user_env: U, password_env: P}
rules:
  - {name: a, when: {type: threshold, field: churn, value: 0.5}, action: log, message: x}
"""  # noqa: E501


def test_senders_are_made_from_the_file_and_the_environment() -> None:
    rules, told = parse_rules(FILE, "t"), []
    environ = {"DESK_URL": "https://example.com/x", "DESK_SECRET": "s" * 16, "U": "u", "P": "p"}
    made = senders_of(rules, environ, told.append, lambda: 1.0)
    assert sorted(made) == ["action:log", "app", "desk", "mail"]
    assert made["app"](alert(), "k").ok and told[0].topic == "alerts" and told[0].key == "a1"
    for name, value in (("DESK_URL", "http://10.0.0.1/"), ("DESK_SECRET", "tiny-one"), ("P", "")):
        with pytest.raises(ConfigError) as error:
            senders_of(rules, {**environ, name: value}, told.append, lambda: 1.0)
        assert name in str(error.value) and (not value or value not in str(error.value))
    private = {
        **environ,
        "DESK_URL": "http://10.0.0.1/",
        "LEADLAB_WEBHOOK_PRIVATE_HOSTS": "10.0.0.1",
    }
    assert "desk" in senders_of(rules, private, told.append, lambda: 1.0)


def test_a_body_holds_no_number_that_json_lacks() -> None:
    assert b"NaN" not in body_of(alert(value=float("nan")))
