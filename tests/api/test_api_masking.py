"""Logs: one JSON object a line, whatever is logged, and nothing of a person in it."""

from __future__ import annotations

import io
import json
import logging
import string
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from leadlab.api.logs import JsonLines, WithoutPersons, log_json
from leadlab.api.masking import masked

WORDS = st.text(string.ascii_letters + " .,;:'\"()<>/=é\n", max_size=30)
EMAILS = st.emails()
GROUP = st.text(string.digits, min_size=2, max_size=4)
PHONES = st.builds(
    lambda plus, groups, mark: plus + mark.join(groups),
    st.sampled_from(["", "+", "(", "+("]),
    st.lists(GROUP, min_size=4, max_size=5),
    st.sampled_from([" ", "-", ".", "/", ") ", "\u00a0", " - ", ""]),
).filter(lambda text: sum(c.isdigit() for c in text) <= 15)
TOKENS = st.builds(
    lambda name: jwt.encode({"sub": name}, "x" * 32, algorithm="HS256"), st.text(max_size=5)
)
KEYS = st.builds(
    lambda a, b: f"ll_{a}_{b}",
    st.text("0123456789abcdef", min_size=12, max_size=12),
    st.text("0123456789abcdef", min_size=64, max_size=64),
)


def logged(log: Any) -> tuple[dict[str, Any], str]:
    """What one call of `log` writes: the object and the line."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(WithoutPersons())
    handler.setFormatter(JsonLines())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    log(logger)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    return json.loads(lines[0]), lines[0]


@effort(max_examples=150, deadline=None)
@given(before=WORDS, secret=EMAILS | PHONES | TOKENS | KEYS, after=WORDS)
@example(before="at 10", secret="044 668 18 00", after="12345678901")
def test_no_way_of_logging_lets_a_secret_through(before: str, secret: str, after: str) -> None:
    text = f"{before} {secret} {after}"

    def fail(logger: logging.Logger) -> None:
        try:
            raise ValueError(text)
        except ValueError:
            logger.exception("failed")

    ways = (
        lambda logger: logger.warning(text),
        lambda logger: logger.warning("got %s and %r", text, [text]),
        lambda logger: logger.warning("got", extra={"got": text}),
        lambda logger: logger.warning("got", extra={"got": {"a": [text, {text: 1}]}}),
        lambda logger: logger.warning("got", extra={"got": ValueError(text)}),
        lambda logger: logger.warning("wrong %d", text),
        fail,
    )
    for way in ways:
        _, line = logged(way)
        assert secret not in line
        assert json.dumps(secret)[1:-1] not in line


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abc.def-ghi", "abc"),
        ("Authorization: Basic YW5uOmFubg==", "YW5u"),
        ("GET /v1/stream?ticket=s3cr3t&topic=scores", "s3cr3t"),
        ("redis://user:hunter2@cache:6379/0", "hunter2"),
        ("{'password': 'hunter2'}", "hunter2"),
        ('{"api_key": "hunter2"}', "hunter2"),
        ("bearer.eyJhbGciOiJub25lIn0.e30.", "eyJ"),
        ("mailto:ann+leads@sub.example.com", "ann"),
        ("tel 0446681800.", "0446681800"),
        ("＋４１ ４４ ６６８ １８ ００", "４４"),
    ],
)
def test_what_opens_doors_is_masked(text: str, left: str) -> None:
    assert left not in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T10:00:00Z", "2026-03-01 10:00", "3f2b6c1e-1234-5678-9012-123456789012",
        "lead-000123", "200 in 0.0012345678 s", "1772384400000000", "v1.2.3", "lead 42 of 1000",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


def test_fields_with_telling_names_are_hidden_and_figures_stay() -> None:
    extra = {
        "phone": 446681800, "Email": "x", "at_us": 1772384400000000, "share": 0.5, "late": None,
        "inner": {"password": "hunter2", "n": 3}, "nan": float("nan"), "huge": 10**30,
        "lone": "\ud800",
    }  # fmt: skip
    found, line = logged(lambda logger: logger.warning("x", extra=extra))
    assert (found["phone"], found["Email"]) == ("[hidden]", "[hidden]")
    assert found["inner"] == {"password": "[hidden]", "n": 3}
    assert (found["at_us"], found["share"], found["late"]) == (1772384400000000, 0.5, None)
    assert "hunter2" not in line


def test_a_line_cannot_be_forged() -> None:
    text = 'x\r\n{"level": "critical", "message": "forged"}\u2028\x1b[31m'
    found, line = logged(lambda logger: logger.warning("%s", text, extra={"level": "forged"}))
    assert found["message"] == text
    assert found["level"] == "warning"
    assert "\n" not in line


def test_something_nested_in_itself_is_logged() -> None:
    round_about: dict[str, Any] = {}
    round_about["self"] = round_about
    assert "got" in logged(lambda logger: logger.warning("x", extra={"got": round_about}))[0]


@pytest.fixture
def root() -> Iterator[None]:
    logger = logging.getLogger()
    kept, level = logger.handlers[:], logger.level
    yield
    logger.handlers[:] = kept
    logger.setLevel(level)


def test_libraries_log_in_the_same_form(root: None) -> None:
    stream = io.StringIO()
    log_json(stream)
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "198.51.100.7:1", "GET", "/v1/stream?ticket=abc", "1.1", 200
    )
    found = json.loads(stream.getvalue())
    assert (found["logger"], found["level"]) == ("uvicorn.access", "info")
    assert "ticket=[hidden]" in found["message"]


@pytest.mark.parametrize(
    "part", ["1 ", "1.", "(1", "1-", "@", "a@", "aa@a.", "token=", "eyJ.", "ll_0", "://", "://a"]
)
def test_hostile_texts_are_masked_in_linear_time(part: str) -> None:
    """A pattern that looks again and again at what it has seen would need hours for this."""
    assert masked(part * 50_000 + "x") is not None
