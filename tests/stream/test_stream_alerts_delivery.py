"""Delivery: nothing lost, repetitions known by their key, whatever the receiver does."""

from __future__ import annotations

import email
import logging
import random
import ssl
import sys
import threading
from email import policy
from pathlib import Path

import msgspec
import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BrokenPlugin, ConfigError, StoreFailed, UnknownName
from leadlab.stream.alerts import (
    ActionRun,
    Alert,
    AlertStore,
    Answer,
    Delivery,
    DeliveryThreads,
    Outbox,
    Schedule,
    alert_message,
    is_genuine,
    parse_rules,
    senders_of,
    sign,
)
from leadlab.stream.alerts.mail import Mail
from leadlab.stream.alerts.public_address import is_public
from leadlab.stream.alerts.routes import MailRoute
from leadlab.stream.alerts.webhook import Webhook, body_of
from leadlab.stream.breaker import Breaker
from tests.stream.alert_servers import mail_server, until, web_server

S = 1_000_000
SECRET = b"a secret of some length"
LOCAL = ("127.0.0.1", "localhost")


def alert(name: str = "a1", **more) -> Alert:
    fields = {"rule": "hot", "tenant": "acme", "severity": "info", "key": "ann", "at_us": 5,
              "message": "ann became hot", "lead": "ann", "due_us": 5, "routes": ("hook",),
              **more}  # fmt: skip
    return Alert(id=name, **fields)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.us = 1_000 * S

    def __call__(self) -> int:
        return self.us


@pytest.fixture
def store(tmp_path: Path):
    with AlertStore(tmp_path / "alerts.db") as made:
        yield made


def hook(port: int, **more) -> Webhook:
    url = f"http://127.0.0.1:{port}/hook?x=1"
    fields = {"clock_s": lambda: 1_000.0, "private_hosts": LOCAL, "timeout_s": 5.0, **more}
    return Webhook(url, SECRET, **fields)


def steps(store: AlertStore, name: str = "a1") -> list[str]:
    return [step.what for step in store.history("acme", name)]


def drain(delivery: Delivery, clock: Clock, route: str = "hook") -> int:
    """Run until nothing waits, the clock going on; how many runs that took."""
    for n in range(1, 40):
        delivery.run(route, clock)
        if not delivery.outbox.routes():
            return n
        clock.us += 1_000 * S
    return -1


def test_a_flaky_receiver_gets_it_at_last_under_one_key(store: AlertStore) -> None:
    store.add([alert()])
    clock = Clock()
    with web_server() as server:
        server.answers += [500, "cut", "garbage", 429, 503]
        delivery = Delivery(Outbox(store.file), {"hook": hook(server.port)}, rng=random.Random(1))
        assert drain(delivery, clock) == 6
    assert steps(store) == ["raised", *["failed"] * 5, "delivered"]
    assert {headers["Idempotency-Key"] for _, headers, _ in server.requests} == {"a1:hook:raised"}
    for path, headers, body in server.requests:
        assert path == "/hook?x=1" and msgspec.json.decode(body)["message"] == "ann became hot"
        given = (headers["Leadlab-Timestamp"], headers["Leadlab-Signature"])
        assert is_genuine(SECRET, body, *given, now_s=1_001.0)
        assert not is_genuine(b"another secret", body, *given, now_s=1_001.0)
        assert not is_genuine(SECRET, body + b" ", *given, now_s=1_001.0)
        assert not is_genuine(SECRET, body, *given, now_s=1_301.0)
        assert not is_genuine(SECRET, body, "1001", given[1], now_s=1_001.0)


@pytest.mark.parametrize("wrong", ["", "v1=", "é", "v1=" + "0" * 64])
def test_odd_signatures_are_refused_quietly(wrong: str) -> None:
    assert not is_genuine(SECRET, b"", "1", wrong, now_s=1)
    assert not is_genuine(SECRET, b"", wrong, sign(SECRET, b"", 1), now_s=1)


@pytest.mark.parametrize("status", [302, 400, 401, 404, 410])
def test_refusals_are_not_repeated_and_redirects_not_followed(store, status: int) -> None:
    store.add([alert()])
    with web_server() as server:
        server.answers.append(status)
        delivery = Delivery(Outbox(store.file), {"hook": hook(server.port)}, rng=random.Random(1))
        assert delivery.run("hook", Clock()).given_up == 1
    assert len(server.requests) == 1 and steps(store) == ["raised", "given up"]


@pytest.mark.parametrize("how", ["hang", "drip"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_receiver_that_never_ends_is_left(how: str, scheme: str) -> None:
    ours, trusted = authority()
    with web_server(ours if scheme == "https" else None) as server:
        server.answers.append(how)
        webhook = Webhook(
            f"{scheme}://localhost:{server.port}/", SECRET, clock_s=lambda: 1.0, timeout_s=0.6,
            private_hosts=LOCAL, trusted=trusted,
        )  # fmt: skip
        answer = webhook(alert(), "k")
    assert not answer.ok and answer.again


def test_a_batch_that_takes_too_long_is_left_to_its_lease(store: AlertStore) -> None:
    store.add([alert(f"a{i}") for i in range(5)])
    clock, sent = Clock(), []

    def slow(one: Alert, key: str) -> Answer:
        clock.us += 40 * S
        return Answer(ok=not sent.append(key))

    outbox = Outbox(store.file)
    delivery = Delivery(outbox, {"hook": slow}, rng=random.Random(1))
    assert delivery.run("hook", clock).delivered == 2
    assert outbox.claim("hook", clock(), S, 9) == []
    assert len(outbox.claim("hook", clock() + 60 * S, S, 9)) == 3


def test_a_receiver_may_ask_for_patience(store: AlertStore) -> None:
    store.add([alert()])
    clock = Clock()
    with web_server() as server:
        server.answers.append(429)
        delivery = Delivery(Outbox(store.file), {"hook": hook(server.port)}, rng=random.Random(1))
        assert delivery.run("hook", clock).failed == 1
        clock.us += 32 * S
        assert delivery.run("hook", clock).delivered == 0
        clock.us += 2 * S
        assert delivery.run("hook", clock).delivered == 1


def test_after_so_many_attempts_it_is_given_up(store: AlertStore) -> None:
    store.add([alert()])
    sent = []

    def fails(one: Alert, key: str) -> Answer:
        sent.append(key)
        return Answer(ok=False, note="status 500")

    delivery = Delivery(
        Outbox(store.file), {"hook": fails}, rng=random.Random(1), schedule=Schedule(attempts=3)
    )
    drain(delivery, Clock())
    assert len(sent) == 3 and steps(store) == ["raised", "failed", "failed", "given up"]


@given(st.integers(1, 200), st.floats(0, 1))
def test_waits_grow_to_a_bound_and_are_never_nothing(attempts: int, chance: float) -> None:
    schedule = Schedule()
    wait = schedule.wait_s(attempts, chance)
    assert schedule.first_s / 2 <= wait <= schedule.longest_s
    assert schedule.wait_s(attempts, 1.0) <= schedule.wait_s(attempts + 1, 1.0)


def test_a_worker_that_dies_between_sending_and_noting_sends_again(store: AlertStore) -> None:
    """What it took comes back when its lease is over; the key is the same."""
    store.add([alert()])
    clock, outbox = Clock(), Outbox(store.file)
    keys = [due.key for due in outbox.claim("hook", clock(), 60 * S, 9)]
    assert outbox.claim("hook", clock() + 59 * S, 60 * S, 9) == []
    clock.us += 61 * S
    delivery = Delivery(
        outbox, {"hook": lambda one, key: Answer(ok=not keys.append(key))}, rng=random.Random(1)
    )
    assert delivery.run("hook", clock).delivered == 1
    assert keys == ["a1:hook:raised"] * 2


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 25), st.integers(1, 4), st.integers(0, 99))
def test_workers_side_by_side_send_each_once(tmp_path_factory, n: int, workers: int, seed) -> None:
    path = tmp_path_factory.mktemp("side") / "a.db"
    sent: list[str] = []
    with AlertStore(path) as first:
        first.add([alert(f"a{i}") for i in range(n)])

        def work(number: int) -> None:
            with AlertStore(path) as own:
                delivery = Delivery(
                    Outbox(own.file), {"hook": lambda one, key: Answer(ok=not sent.append(key))},
                    rng=random.Random(seed + number), most=3,
                )  # fmt: skip
                clock = Clock()
                while delivery.run("hook", clock).delivered:
                    pass

        threads = [threading.Thread(target=work, args=(i,)) for i in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(sent) == sorted(f"a{i}:hook:raised" for i in range(n))


def test_an_open_breaker_costs_no_attempts(store: AlertStore) -> None:
    store.add([alert(f"a{i}") for i in range(5)])
    clock, sent = Clock(), []
    gate = Breaker("hook", failures=2, reset_s=4, half_open=3, clock=lambda: clock.us / S)
    delivery = Delivery(
        Outbox(store.file), {"hook": lambda one, key: sent.append(key) or Answer(ok=False)},
        rng=random.Random(1), gates={"hook": gate}, schedule=Schedule(attempts=2),
    )  # fmt: skip
    ran = delivery.run("hook", clock)
    assert (ran.failed, ran.postponed, len(sent)) == (2, 3, 2)
    clock.us += 6 * S
    again = delivery.run("hook", clock)
    assert again.given_up + again.failed == 1 and again.postponed >= 2


def test_what_waits_for_a_route_that_is_gone_is_given_up(store: AlertStore) -> None:
    store.add([alert(routes=("old", "hook"))])
    delivery = Delivery(
        Outbox(store.file), {"hook": lambda one, key: Answer(ok=True)}, rng=random.Random(1)
    )
    assert delivery.run_all(Clock())["hook"].delivered == 1
    assert sorted(steps(store)) == ["delivered", "given up", "raised"]


def test_what_was_resolved_is_not_sent_even_when_it_was_on_its_way(store: AlertStore) -> None:
    store.add([alert("a1"), alert("a2")])
    outbox = Outbox(store.file)
    store.resolve("acme", "a2", who="bo", at_us=9)
    (due,) = outbox.claim("hook", 1_000 * S, S, 9)
    store.resolve("acme", "a1", who="bo", at_us=9)
    outbox.retry(due, 9, 10, "status 500")
    assert outbox.claim("hook", 9_000 * S, S, 9) == []
    assert steps(store) == ["raised", "resolved"]


def test_a_slow_route_holds_up_no_other(store: AlertStore) -> None:
    store.add([alert(routes=("slow", "app"))])
    told, slow = [], threading.Event()
    senders = {
        "slow": lambda one, key: Answer(ok=slow.wait(20)),
        "app": lambda one, key: Answer(ok=not told.append(alert_message(one))),
    }
    threads = DeliveryThreads(
        Delivery(Outbox(store.file), senders, rng=random.Random(1)), Clock(), failed=told.append
    )
    threads.start()
    assert until(lambda: told)
    store.add([alert("a2", routes=("app",))])
    threads.call()
    assert until(lambda: len(told) == 2)
    slow.set()
    threads.stop()
    assert sorted(steps(store)) == ["delivered", "delivered", "raised"]


def test_a_store_that_fails_is_told_and_the_thread_goes_on(store: AlertStore) -> None:
    told = []
    outbox = Outbox(store.file)
    delivery = Delivery(outbox, {"hook": lambda o, k: Answer(ok=True)}, rng=random.Random(1))
    with store.file.reading() as db:
        db.execute("ALTER TABLE outbox RENAME TO away")
    threads = DeliveryThreads(delivery, Clock(), poll_s=0.02, failed=told.append)
    threads.start()
    assert until(lambda: told)
    with store.file.reading() as db:
        db.execute("ALTER TABLE away RENAME TO outbox")
    store.add([alert()])
    assert until(lambda: "delivered" in steps(store))
    threads.stop()
    assert isinstance(told[0], StoreFailed)


# -- where a webhook may go ------------------------------------------------------------------------


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


def authority() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's side and a client's side of one authority."""
    ca = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost", "127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    ca.configure_trust(client)
    return server, client


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
