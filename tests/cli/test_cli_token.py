"""``leadlab token``: what it makes opens doors, and nobody else can read it."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from leadlab.api.keys import KeyStore
from leadlab.api.settings import ApiSettings
from leadlab.api.tokens import Verifier
from leadlab.cli.app import app
from leadlab.errors import BadInput, BrokenFile, ConfigError, LeadlabError, NotProven, UnknownName

SECRET = "a shared secret of more than thirty-two bytes"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("JWT_SECRET", "JWKS", "JWT_KEY", "JWT_AUDIENCE", "JWT_ISSUER", "RATES", "LIMITS"):
        monkeypatch.delenv(f"LEADLAB_{name}", raising=False)
    monkeypatch.setenv("LEADLAB_HOME", str(tmp_path / "home"))
    return tmp_path


def told(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["token", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def told_json(*arguments: str) -> Any:
    return json.loads(told(*arguments, "--json"))


def verify(token: str) -> Any:
    return Verifier(ApiSettings.from_environment()).verify(token, time.time())


def test_a_token_by_the_shared_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADLAB_JWT_SECRET", SECRET)
    monkeypatch.setenv("LEADLAB_JWT_AUDIENCE", "here")
    token = told("issue", "--tenant", "acme", "--role", "agent", "--agent", "bea").strip()
    who = verify(token)
    assert (who.tenant, who.subject, who.agent) == ("acme", "bea", "bea")
    monkeypatch.setenv("LEADLAB_JWT_AUDIENCE", "elsewhere")
    with pytest.raises(NotProven):
        verify(token)


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
def test_keys_rotate_and_older_tokens_go_on(
    home: Path, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    public, private = home / "keys" / "jwks.json", home / "keys" / "jwks.private.json"
    monkeypatch.setenv("LEADLAB_JWKS", str(public))
    monkeypatch.setenv("LEADLAB_JWT_KEY", str(private))
    make = ("jwks", "--out", str(public), "--algorithm", algorithm, "--keep", "2")
    tokens = []
    for count in (1, 2, 2):
        assert told_json(*make)["keys"] == count
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
        assert '"d"' not in public.read_text()
        tokens.append(told("issue", "--tenant", "acme", "--role", "viewer").strip())
    assert [verify(token).tenant for token in tokens[1:]] == ["acme", "acme"]
    with pytest.raises(NotProven):
        verify(tokens[0])
    assert sorted(file.name for file in public.parent.iterdir()) == [
        "jwks.json", "jwks.private.json",
    ]  # fmt: skip


def test_a_damaged_set_of_keys_is_left_as_it_is(home: Path) -> None:
    public = home / "jwks.json"
    public.write_text('{"keys": [')
    with pytest.raises(BrokenFile):
        told("jwks", "--out", str(public))
    assert public.read_text() == '{"keys": ['
    assert not (home / "jwks.private.json").exists()


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"kty": "OKP", "crv": "Ed25519", "kid": "a"}']
)
def test_a_damaged_private_key_is_one_sentence_without_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    file = home / "private.json"
    file.write_text(content)
    monkeypatch.setenv("LEADLAB_JWT_KEY", str(file))
    with pytest.raises(BrokenFile):
        told("issue", "--tenant", "acme", "--role", "viewer")


def test_a_key_is_shown_once_listed_and_revoked(home: Path) -> None:
    made = told_json(
        "key", "--tenant", "acme", "--role", "manager", "--scopes", "events:write", "--hours", "1"
    )
    store = KeyStore(home / "home" / "api.db")
    now_us = time.time_ns() // 1000
    assert store.find(made["key"], now_us=now_us).scopes == {"events:write"}
    with pytest.raises(NotProven, match="expired"):
        store.find(made["key"], now_us=now_us + 3_700_000_000)
    secret = made["key"].rsplit("_", 1)[1]
    assert made["id"] in told("keys")
    assert secret not in told("keys") + json.dumps(told_json("keys", "--tenant", "acme"))
    assert told_json("keys", "--tenant", "other") == []
    told("revoke", made["id"])
    with pytest.raises(NotProven, match="revoked"):
        store.find(made["key"], now_us=now_us)
    store.close()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["issue", "--tenant", "acme", "--role", "viewer"], ConfigError),
        (["issue", "--tenant", "acme", "--role", "vewer"], UnknownName),
        (["issue", "--tenant", "acme", "--role", "viewer", "--scopes", "admin"], BadInput),
        (["issue", "--tenant", "acme", "--role", "viewer", "--scopes", "lead:read"], UnknownName),
        (["issue", "--tenant", "acme", "--role", "agent"], BadInput),
        (["issue", "--tenant", " ", "--role", "viewer"], BadInput),
        (["key", "--tenant", "acme", "--role", "viewer", "--agent", "bea"], BadInput),
        (["revoke", "nothing"], UnknownName),
        (["jwks", "--out", "a.json", "--private", "a.json"], BadInput),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments: list[str], error: type[LeadlabError]) -> None:
    with pytest.raises(error):
        told(*arguments)


def test_keys_need_no_extra_and_signing_says_which_it_needs(home: Path) -> None:
    code = (
        "import sys; heavy = ('jwt', 'cryptography', 'fastapi', 'starlette', 'limits', 'redis')\n"
        "from leadlab.cli.app import run\n"
        "assert not [name for name in heavy if name in sys.modules]\n"
        "sys.modules.update(dict.fromkeys(heavy))\n"
        "assert run(['token', 'key', '--tenant', 'acme', '--role', 'viewer']) == 0\n"
        "sys.exit(run(['token', 'issue', '--tenant', 'acme', '--role', 'viewer']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "leadlab[live]" in done.stderr


@pytest.mark.parametrize("command", ["issue", "key", "keys", "revoke", "jwks"])
def test_every_command_helps_with_an_example(command: str) -> None:
    assert f"leadlab token {command}" in " ".join(told(command, "--help").split())
