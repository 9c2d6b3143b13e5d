"""Files of rules: what cannot be used is named by file, line, rule and field; quiet hours."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput, LeadlabError, UnknownName
from leadlab.stream.alerts import default_rules, parse_rules, read_rules
from leadlab.stream.alerts.quiet import Quiet
from leadlab.stream.alerts.span import span_us
from leadlab.stream.alerts.template import check_template, fill

GOOD = """version: 1
routes:
  app: {type: app}
  desk: {type: webhook, url_env: DESK_URL, secret_env: DESK_SECRET, tenants: [acme]}
rules:
  - name: hot
    when: {type: crossing, field: tier, level: hot}
    where: {kind: [Inquiry]}
    quiet: {zone: America/Denver, from: "21:00", to: "08:00"}
    escalate: {after: 10m, severity: critical}
    message: "{lead} is {tier}"
  - name: slow
    when: {type: threshold, of: window, field: response_median_1h, op: ">", value: 1800}
    per: tenant
    tenants: [acme]
    routes: [app, desk]
    message: "{value:.0f} s"
  - name: both
    when: {type: combination, all: [hot, slow], within: 1h}
    message: "{lead}"
"""
WRONG = [
    ("level: hot", "level: hott", ":7: rule 'hot'", "Did you mean 'hot'?"),
    ("type: crossing", "type: crosing", "when.type", "Did you mean 'crossing'?"),
    ("field: tier", "field: teir", "when.field", "Did you mean 'tier'"),
    ("field: tier, level: hot", "field: kind, level: 1", "rule 'hot': when", "threshold with =="),
    ("where: {kind", "where: {kin", "rule 'hot': where", "Did you mean 'kind'?"),
    ("America/Denver", "America/Denvr", "quiet.zone; got: 'America/Denvr'", "IANA"),
    ('from: "21:00"', 'from: "24:00"', "quiet.from", "time of day"),
    ('from: "21:00"', 'form: "21:00"', ":9: rule 'hot': quiet", ""),
    ('to: "08:00"', 'to: "21:00"', "rule 'hot': quiet", "same time"),
    ("after: 10m", "after: 10", "escalate.after; got: 10", "15m"),
    ("after: 10m", "after: 0m", "escalate.after", "greater than 0"),
    ("severity: critical", "severity: info", "rule 'hot'", "cannot lower"),
    ("severity: critical", "severty: critical", "escalate", "Did you mean 'severity'?"),
    ("after: 10m, severity: critical", "after: 10m", "escalate", "changes"),
    ("{lead} is", "{leed} is", "rule 'hot': message", "Did you mean 'lead'?"),
    ("{tier}", "{tier.__class__}", "rule 'hot': message", "unknown"),
    ("{tier}", "{tier!r}", "rule 'hot'", "cannot format"),
    ("{tier}", "{tier:>9999999}", "rule 'hot'", "cannot format"),
    ("{tier}", "{tier:{lead}}", "rule 'hot'", "cannot format"),
    ("{tier}", "{tier", "rule 'hot'", ""),
    ("{value:.0f} s", "{lead}", "rule 'slow': message", "unknown"),
    ("per: tenant", "per: lead", "rule 'slow'", "per: tenant"),
    ("routes: [app, desk]", "routes: [ap]", ":16: rule 'slow': routes", "Did you mean 'app'?"),
    ("    tenants: [acme]\n", "    tenants: [best]\n", "rule 'slow'", "other tenants"),
    ("    tenants: [acme]\n", "", "rule 'slow'", "other tenants"),
    ("all: [hot, slow]", "all: [hot, slo]", "rule 'both': when", "Did you mean 'slow'?"),
    ("all: [hot, slow]", "all: [slow]", "test.yaml", "per: tenant"),
    ("all: [hot, slow]", "all: [hot, both]", "rule 'both'", "cannot be part of another"),
    ("all: [hot, slow]", "all: [hot, hot]", "rule 'both': when", "named twice"),
    ("all: [hot, slow]", "all: [hot], any: [slow]", "rule 'both': when", "either"),
    ("name: slow", "name: hot", "test.yaml", "two rules"),
    ("name: slow", "name: Slow one", "rule 'Slow one': name", ""),
    ("    per: tenant\n", "    per: tenant\n    per: tenant\n", "test.yaml:15", "given twice"),
    ("    per: tenant\n", "    per: tenant\n    silent: true\n    action: lg\n", "action", "'log'"),
    ("    message: \"{lead}\"\n", "    silent: true\n    message: x\n", "test.yaml", "silent"),
    ("op: \">\"", "op: \"=>\"", "when.op", ""),
    ("value: 1800", "value: many", "rule 'slow': when", "number"),
    ("value: 1800", "value: .nan", "when.value", ""),
    ("response_median_1h", "Response Median", "rule 'slow': when", "figure"),
    ("version: 1", "version: 2", "test.yaml:1: version; got: 2", ""),
    ("version: 1", "on: 1", "test.yaml:1", "no text"),
    ("version: 1", "version: 1\nrouts: {}", "test.yaml:2: routs", "Did you mean 'routes'"),
    ("url_env: DESK_URL", "url: http://x", "routes.desk", ""),
    ("rules:\n", "rules: &a\n  - *a\n", "test.yaml", ""),
    (GOOD, "", "test.yaml", "version, routes and rules"),
    (GOOD, "a: [", "test.yaml:1", ""),
    (GOOD, "!!python/object/apply:os.getcwd []", "test.yaml", ""),
]  # fmt: skip


def test_the_good_file_is_good() -> None:
    made = parse_rules(GOOD, "test.yaml")
    assert [r.name for r in made.rules] == ["hot", "slow", "both"]
    assert made.rules[0].quiet is not None and made.rules[0].quiet.start == 21 * 60
    unquoted = parse_rules(GOOD.replace('"21:00"', "21:00").replace('"08:00"', "8:00"), "t")
    assert unquoted == made


@pytest.mark.parametrize(("old", "new", "where", "why"), WRONG)
def test_what_is_wrong_is_said(old: str, new: str, where: str, why: str) -> None:
    assert GOOD.count(old)
    with pytest.raises((BadInput, UnknownName)) as told:
        parse_rules(GOOD.replace(old, new, 1), "test.yaml")
    assert where in str(told.value) and why in str(told.value), str(told.value)
    assert "\n" not in str(told.value) and len(str(told.value)) < 600


def test_a_file_that_is_none(tmp_path) -> None:
    with pytest.raises(BadInput, match="cannot read"):
        read_rules(tmp_path)
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="cannot read"):
        read_rules(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text("#" * 1_000_001)
    with pytest.raises(BadInput, match="too long"):
        read_rules(tmp_path / "b.yaml")
    (tmp_path / "c.yaml").write_text("[" * 5000)
    with pytest.raises(BadInput):
        read_rules(tmp_path / "c.yaml")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD)), st.text(max_size=6), st.integers(0, 9))
def test_any_damage_is_an_error_of_ours_or_none(at: int, text: str, cut: int) -> None:
    try:
        parse_rules(GOOD[:at] + text + GOOD[at + cut :], "test.yaml")
    except LeadlabError as error:
        assert "test.yaml" in str(error)


def test_the_default_rules_tell_the_app_only() -> None:
    made = default_rules()
    assert {type(route).__name__ for route in made.routes.values()} == {"AppRoute"}
    assert len(made.rules) >= 8


@given(st.text(max_size=40), st.sampled_from(["lead", "tier"]))
def test_no_checked_template_fails_or_reaches_inside(text: str, name: str) -> None:
    try:
        check_template(text, [name])
    except ValueError:
        return
    assert len(fill(text, {name: "v"})) < 200


NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"


def us(text: str, zone: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 10**6


def night(zone: str, start: str, end: str) -> Quiet:
    return Quiet.model_validate({"zone": zone, "from": start, "to": end})


@pytest.mark.parametrize(
    ("zone", "hours", "at", "until"),
    [
        (NEW_YORK, "21:00-08:00", "2026-03-08T00:30:00-05:00", "2026-03-08T08:00:00-04:00"),
        (NEW_YORK, "21:00-08:00", "2026-11-01T00:30:00-04:00", "2026-11-01T08:00:00-05:00"),
        (NEW_YORK, "22:00-02:30", "2026-03-08T01:59:00-05:00", "2026-03-08T03:00:00-04:00"),
        (NEW_YORK, "22:00-01:30", "2026-11-01T01:10:00-04:00", "2026-11-01T01:30:00-04:00"),
        (NEW_YORK, "22:00-01:30", "2026-11-01T01:10:00-05:00", "2026-11-01T01:30:00-05:00"),
        (LORD_HOWE, "21:00-06:00", "2026-10-04T01:00:00+10:30", "2026-10-04T06:00:00+11:00"),
        ("Asia/Kolkata", "12:00-13:00", "2026-07-01T12:59:59+05:30", "2026-07-01T13:00:00+05:30"),
    ],
)  # fmt: skip
def test_quiet_hours_when_clocks_change(zone, hours, at, until) -> None:
    moment, expected = (int(dt.datetime.fromisoformat(t).timestamp()) * 10**6 for t in (at, until))
    assert night(zone, *hours.split("-")).until_us(moment) == expected


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["America/New_York", "Europe/London", "Australia/Lord_Howe", "UTC"]),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.integers(us("2026-01-01", "UTC") // 60_000_000, us("2027-01-01", "UTC") // 60_000_000),
)
def test_quiet_hours_end_at_the_first_minute_that_is_not_quiet(zone, start, end, minute) -> None:
    if start == end:
        return
    rule = Quiet.model_validate({"zone": zone, "from": start, "to": end})

    def quiet(m: int) -> bool:
        local = dt.datetime.fromtimestamp(m * 60, dt.UTC).astimezone(ZoneInfo(zone))
        since_start = (local.hour * 60 + local.minute - start) % 1440
        return since_start < (end - start) % 1440

    until = rule.until_us(minute * 60_000_000 + 59_999_999)
    assert (until is not None) == quiet(minute)
    if until is not None:
        last = until // 60_000_000
        assert not quiet(last) and quiet(last - 1) and last - minute <= 25 * 60
        assert all(quiet(m) for m in range(minute, last, 7))


@pytest.mark.parametrize(
    "text", ["15", "", "m", "1.5h", "-1h", "1w", 15, None, "1h and 2m", "1234567s"]
)
def test_no_length_of_time(text) -> None:
    with pytest.raises(ValueError, match="length of time"):
        span_us(text)


def test_lengths_of_time() -> None:
    assert [span_us(t) // 10**6 for t in ("90s", "2d", " 1h30m ", "1h 30m 5s")] == [
        90, 172_800, 5_400, 5_405,
    ]  # fmt: skip
