"""Tokens: what is not signed by us, for us and in time is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from leadlab.api.jwks import PAUSE_S, KeyFile, read_keys
from leadlab.api.roles import ROLES
from leadlab.api.settings import ApiSettings
from leadlab.api.signing import new_key
from leadlab.api.tokens import Verifier
from leadlab.errors import BrokenFile, ConfigError, NotProven
from tests.api.conftest import NOW_S, SECRET, Keys, claims, public

ALGORITHMS = ("HS256", "EdDSA", "RS256")


def signed(keys: Keys, algorithm: str, content: dict[str, Any], **header: Any) -> str:
    if algorithm == "HS256":
        return jwt.encode(content, SECRET, algorithm="HS256", headers=header)
    jwk = keys.private[algorithm]
    key = _private(json.dumps(jwk), algorithm)
    return jwt.encode(content, key, algorithm=algorithm, headers={"kid": jwk["kid"], **header})


@cache
def _private(jwk: str, algorithm: str) -> Any:
    return jwt.PyJWK.from_json(jwk, algorithm=algorithm).key


def encoded(part: Any) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def refused(settings: ApiSettings, token: str, now_s: float = NOW_S) -> str:
    with pytest.raises(NotProven) as told:
        Verifier(settings).verify(token, now_s)
    assert len(token) < 20 or token not in str(told.value)
    return str(told.value)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_good_token_names_its_holder(keys: Keys, settings: ApiSettings, algorithm: str) -> None:
    found = Verifier(settings).verify(signed(keys, algorithm, claims()), NOW_S)
    assert (found.tenant, found.subject, found.role, found.agent) == ("acme", "ann", "viewer", None)
    assert found.scopes == ROLES["viewer"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"exp": NOW_S - 31}, "expired"),
        ({"exp": None}, "lacks"),
        ({"exp": "2099-01-01"}, "no moment"),
        ({"exp": float("inf")}, "no moment"),
        ({"exp": True}, "no moment"),
        ({"nbf": NOW_S + 31}, "not valid yet"),
        ({"nbf": float("nan")}, "no moment"),
        ({"iat": NOW_S + 31}, "not valid yet"),
        ({"aud": "other"}, "audience"),
        ({"aud": None}, "lacks"),
        ({"aud": []}, "lacks"),
        ({"iss": "other"}, "issuer"),
        ({"iss": None}, "lacks"),
        ({"sub": None}, "lacks"),
        ({"sub": ""}, "no name"),
        ({"tenant": None}, "lacks"),
        ({"tenant": "ac\nme"}, "no name"),
        ({"tenant": ["acme"]}, "no name"),
        ({"tenant": "x" * 201}, "no name"),
        ({"role": "root"}, "no role"),
        ({"role": ["admin"]}, "no name"),
        ({"role": "agent"}, "do not belong"),
        ({"agent": "bea"}, "do not belong"),
        ({"scopes": "admin"}, "no list"),
        ({"scopes": [1]}, "no list"),
    ],
)
def test_claims_that_do_not_hold(
    keys: Keys, settings: ApiSettings, algorithm: str, changed: dict[str, Any], why: str
) -> None:
    assert why in refused(settings, signed(keys, algorithm, claims(**changed)))


def test_two_clocks_may_differ_by_the_leeway(keys: Keys, settings: ApiSettings) -> None:
    edge = claims(exp=NOW_S - 29, nbf=NOW_S + 29, iat=NOW_S + 29)
    assert Verifier(settings).verify(signed(keys, "EdDSA", edge), NOW_S).subject == "ann"


def test_scopes_narrow_and_never_widen(keys: Keys, settings: ApiSettings) -> None:
    asked = claims(scopes=["leads:read", "admin", "events:write", "made-up"])
    found = Verifier(settings).verify(signed(keys, "EdDSA", asked), NOW_S)
    assert found.scopes == {"leads:read"}
    assert not Verifier(settings).verify(signed(keys, "EdDSA", claims(scopes=[])), NOW_S).scopes


@pytest.mark.parametrize("none", ["none", "None", "NONE", "nOnE", "", None])
@pytest.mark.parametrize("with_kid", [False, True])
def test_an_unsigned_token_is_refused(
    keys: Keys, settings: ApiSettings, none: str | None, with_kid: bool
) -> None:
    header: dict[str, Any] = {"typ": "JWT", "alg": none}
    if with_kid:
        header["kid"] = keys.private["RS256"]["kid"]
    body = f"{encoded(header)}.{encoded(claims())}"
    for signature in ("", encoded(b""), encoded(b"x"), encoded(bytes(32))):
        refused(settings, f"{body}.{signature}")
    refused(settings, body)


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_a_public_key_is_no_shared_secret(
    keys: Keys, settings: ApiSettings, algorithm: str
) -> None:
    """HS256 with what everybody may know: the key's text in each form one may think of."""
    jwk = public(keys.private[algorithm])
    key = jwt.PyJWK(jwk, algorithm=algorithm).key
    forms = [
        key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(jwk).encode(),
        keys.file.read_bytes(),
        b"",
    ]
    for header in ({"alg": "HS256", "kid": jwk["kid"]}, {"alg": "HS256"}):
        body = f"{encoded({'typ': 'JWT', **header})}.{encoded(claims())}"
        for form in forms:
            forged = hmac.new(form, body.encode(), hashlib.sha256).digest()
            refused(settings, f"{body}.{encoded(forged)}")


def test_a_key_is_bound_to_its_own_algorithm(keys: Keys, settings: ApiSettings) -> None:
    rsa, ed = (keys.private[name] for name in ("RS256", "EdDSA"))
    key = RSAAlgorithm.from_jwk(rsa)
    for algorithm in ("RS384", "RS512", "PS256"):
        token = jwt.encode(claims(), key, algorithm=algorithm, headers={"kid": rsa["kid"]})
        refused(settings, token)
    swapped = jwt.encode(claims(), key, algorithm="RS256", headers={"kid": ed["kid"]})
    refused(settings, swapped)
    unnamed = jwt.encode(claims(), key, algorithm="RS256")
    assert "not signed" in refused(settings, unnamed)
    for algorithm in ("HS384", "HS512"):
        refused(settings, jwt.encode(claims(), SECRET + SECRET, algorithm=algorithm))


def test_another_key_is_refused(keys: Keys, settings: ApiSettings) -> None:
    for algorithm in ("EdDSA", "RS256"):
        kid = keys.private[algorithm]["kid"]
        other = Keys({algorithm: {**new_key(algorithm), "kid": kid}}, keys.file)
        assert "genuine" in refused(settings, signed(other, algorithm, claims()))
    refused(replace(settings, secret="another secret of thirty-two bytes"),
            signed(keys, "HS256", claims()))  # fmt: skip
    refused(replace(settings, secret=None), signed(keys, "HS256", claims()))
    refused(replace(settings, jwks=None), signed(keys, "EdDSA", claims()))


@pytest.mark.parametrize(
    "kid",
    [
        "../../dev/null", "/dev/null", "' OR 1=1 --", "", "none", "x" * 5000, "a\x00b", 0, 1.5,
        True, [], {}, ["a"], {"kid": "a"},
    ],
)  # fmt: skip
def test_tricks_with_the_key_id(keys: Keys, settings: ApiSettings, kid: Any) -> None:
    for algorithm in ALGORITHMS:
        header, body, signature = signed(keys, algorithm, claims()).split(".")
        changed = json.loads(base64.urlsafe_b64decode(header + "==")) | {"kid": kid}
        refused(settings, f"{encoded(changed)}.{body}.{signature}")
    if isinstance(kid, str):
        token = jwt.encode(claims(), b"\0" * 32, algorithm="HS256", headers={"kid": kid})
        refused(settings, token)


@pytest.mark.parametrize("name", ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "cty"])
def test_a_header_that_brings_its_own_key_is_refused(
    keys: Keys, settings: ApiSettings, name: str
) -> None:
    own = new_key("EdDSA")
    value: Any = {"jwk": public(own), "crit": ["exp"], "b64": False}.get(name, "http://evil.test")
    header = {"alg": "EdDSA", "typ": "JWT", "kid": own["kid"], name: value}
    body = f"{encoded(header)}.{encoded(claims())}"
    signature = jwt.PyJWK(own, algorithm="EdDSA").key.sign(body.encode())
    refused(settings, f"{body}.{encoded(signature)}")
    theirs = {**header, "kid": keys.private["EdDSA"]["kid"]}
    body = f"{encoded(theirs)}.{encoded(claims())}"
    signature = jwt.PyJWK(keys.private["EdDSA"], algorithm="EdDSA").key.sign(body.encode())
    refused(settings, f"{body}.{encoded(signature)}")


_ALPHABET = "ABCXYZabcxyz0129-_.=+/ \n%é"


@effort(max_examples=150, deadline=None)
@given(data=st.data(), algorithm=st.sampled_from(ALGORITHMS))
def test_a_changed_token_never_verifies(
    keys: Keys, settings: ApiSettings, data: st.DataObject, algorithm: str
) -> None:
    """Cut, flipped, doubled, put in: the one text that verifies is the one that was signed."""
    token = signed(keys, algorithm, claims())
    i = data.draw(st.integers(0, len(token) - 1))
    j = data.draw(st.integers(0, len(token)))
    put = data.draw(st.text(_ALPHABET, max_size=3))
    changed = data.draw(
        st.sampled_from(
            [
                token[:i] + put + token[i + 1 :],
                token[:i] + put + token[i:],
                token[:i],
                token[i:],
                token[: min(i, j)] + token[max(i, j) :],
                token + put,
                token[::-1],
                token.swapcase(),
            ]
        )
    )
    if changed != token:
        refused(settings, changed)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_last_letter_has_one_spelling(
    keys: Keys, settings: ApiSettings, algorithm: str
) -> None:
    """Bits of the last letter that stand for nothing must not make a second token."""
    token = signed(keys, algorithm, claims())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for letter in alphabet.replace(token[-1], ""):
        refused(settings, token[:-1] + letter)


@effort(max_examples=100, deadline=None)
@given(text=st.text(max_size=200) | st.binary(max_size=200).map(lambda b: f"{encoded(b)}.e30.eA"))
def test_any_text_is_refused_in_our_words(settings: ApiSettings, text: str) -> None:
    with pytest.raises(NotProven):
        Verifier(settings).verify(text, NOW_S)


def test_deeply_nested_and_long_tokens_are_refused(settings: ApiSettings) -> None:
    deep = encoded(b"[" * 5000)
    refused(settings, f"{deep}.e30.eA")
    refused(settings, f"{encoded({'alg': 'HS256'})}.{deep[:7000]}.eA")
    refused(settings, "a" * 10_000_000)


def test_a_secret_of_another_kind_is_a_wrong_setting(keys: Keys, settings: ApiSettings) -> None:
    pem = generate_private_key(SECP256R1()).public_key()
    text = pem.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(ConfigError):
        Verifier(replace(settings, secret=text))
    with pytest.raises(ConfigError) as told:
        ApiSettings.from_environment({"LEADLAB_JWT_SECRET": "short"})
    assert "short'" not in str(told.value)
    assert SECRET not in repr(settings)


def write(file: Path, *jwks: dict[str, Any]) -> None:
    file.write_text(json.dumps({"keys": list(jwks)}))


def test_keys_rotate_while_the_service_runs(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    old, new = new_key("EdDSA"), new_key("EdDSA")
    write(file, public(old))
    verifier = Verifier(ApiSettings(tmp_path, jwks=file))
    tokens = [signed(Keys({"EdDSA": jwk}, file), "EdDSA", claims()) for jwk in (old, new)]
    assert verifier.verify(tokens[0], NOW_S)
    with pytest.raises(NotProven):
        verifier.verify(tokens[1], NOW_S)
    write(file, public(new), public(old))
    assert [verifier.verify(token, NOW_S).subject for token in tokens] == ["ann", "ann"]
    write(file, public(new))
    with pytest.raises(NotProven):
        verifier.verify(tokens[0], NOW_S)
    file.unlink()
    with pytest.raises(NotProven):
        verifier.verify(tokens[1], NOW_S)


def test_a_file_that_looks_unchanged_is_read_again_for_an_unknown_key_but_seldom(
    tmp_path: Path,
) -> None:
    file = tmp_path / "jwks.json"
    old = public(new_key("EdDSA"))
    new = public(new_key("EdDSA"))
    write(file, old)
    keys = KeyFile(file)
    before = file.stat()

    def swap(jwk: dict[str, Any]) -> None:
        """Change the file in place, with the size and the time that it had."""
        write(file, jwk)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert file.stat().st_size == before.st_size

    swap(new)
    assert keys.find(old["kid"], 0.0) is not None
    assert keys.find(new["kid"], 0.0) is not None
    swap(old)
    assert keys.find(old["kid"], PAUSE_S - 0.1) is None
    assert keys.find(old["kid"], PAUSE_S) is not None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"keys": 1}', '{"keys": [1]}', "[" * 10_000])
def test_a_half_written_file_leaves_the_keys_before_it_in_force(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "jwks.json"
    jwk = public(new_key("EdDSA"))
    write(file, jwk)
    keys = KeyFile(file)
    file.write_text(content)
    assert keys.find(jwk["kid"], 0.0) is not None
    assert keys.problem is not None
    write(file)
    assert keys.find(jwk["kid"], 0.0) is None
    assert keys.problem is None


def test_keys_that_must_not_be_trusted(tmp_path: Path, keys: Keys) -> None:
    file = tmp_path / "jwks.json"
    jwk = public(new_key("EdDSA"))
    for bad in (
        [keys.private["EdDSA"]],
        [keys.private["RS256"]],
        [{"kty": "oct", "kid": "s", "k": encoded(b"s" * 32)}],
        [jwk, {**public(new_key("EdDSA")), "kid": jwk["kid"]}],
        [{**jwk, "x": "AAAA"}],
        [{**jwk, "x": 7}],
        [{"kty": "RSA", "kid": "r", "n": encoded(b"\xff" * 128), "e": "AQAB"}],
        [{"kty": "RSA", "kid": "r"}],
    ):
        write(file, *bad)
        with pytest.raises(BrokenFile) as told:
            read_keys(file)
        assert keys.private["EdDSA"]["d"] not in str(told.value)
    write(
        file,
        {**jwk, "use": "enc"},
        {**jwk, "alg": "HS256"},
        {**jwk, "alg": "none"},
        {**jwk, "kid": ""},
        {k: v for k, v in jwk.items() if k != "kid"},
        {"kty": "EC", "crv": "P-256", "kid": "e", "x": "AA", "y": "AA"},
    )
    assert read_keys(file) == {}
