"""The files in `deploy/`, held to the code and to themselves: no engine is needed to read them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from leadlab.cli.commands import COMMANDS, loaded

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
SERVICE = {
    "image", "build", "command", "environment", "user", "restart", "init", "read_only", "cap_drop",
    "security_opt", "tmpfs", "logging", "volumes", "networks", "healthcheck", "stop_grace_period",
    "deploy", "shm_size", "ports", "depends_on", "ulimits", "profiles",
}  # fmt: skip
HEALTH = {"test", "interval", "timeout", "retries", "start_period", "disable"}
INSTRUCTIONS = {
    "FROM", "ENV", "WORKDIR", "RUN", "COPY", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK",
    "USER", "CMD",
}  # fmt: skip
PINNED = re.compile(r"[a-z][a-z0-9./-]*:\d+(\.\d+)*(-[a-z0-9]+)*")


class Strict(yaml.SafeLoader):
    """Refuses a key that is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        own = [k.value for k, _ in node.value if k.tag != "tag:yaml.org,2002:merge"]
        assert len(own) == len(set(own)), f"a key twice: {node.start_mark}"
        return super().construct_mapping(node, deep)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.load((DEPLOY / "compose.yaml").read_text(), Strict)


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return compose["services"]


def logical_lines(text: str) -> list[str]:
    whole = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    return [line.strip() for line in whole.replace("\\\n", " ").splitlines() if line.strip()]


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    lines = logical_lines((DEPLOY / "Dockerfile").read_text())
    return [(head, rest.strip()) for head, _, rest in (line.partition(" ") for line in lines)]


def units() -> list[Path]:
    return sorted((DEPLOY / "systemd").glob("*.service"))


def commands() -> list[tuple[str, list[str]]]:
    """Every `leadlab ...` of the folder, with the file that it stands in."""
    given = [("compose.yaml", s["command"]) for s in _services().values() if "command" in s]
    given += [
        (unit.name, shlex.split(line.removeprefix("ExecStart=")))
        for unit in units()
        for line in unit.read_text().splitlines()
        if line.startswith("ExecStart=")
    ]
    lines = logical_lines((DEPLOY / "Dockerfile").read_text())
    given += [("Dockerfile", json.loads(li[4:])) for li in lines if li.startswith("CMD [")]
    readme = (DEPLOY / "README.md").read_text()
    given += [
        ("README.md", shlex.split(one)) for one in re.findall(r"`(leadlab [a-z -]+)`", readme)
    ]
    return [(file, words[1:]) for file, words in given if Path(words[0]).name == "leadlab"]


def _services() -> dict[str, dict[str, Any]]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]


@pytest.mark.parametrize(("file", "words"), commands())
def test_every_command_is_one_of_the_command_line(file: str, words: list[str]) -> None:
    assert words[0] in COMMANDS, f"{file}: leadlab {words[0]}"
    known = {
        option for one in loaded(words[0]).params for option in (*one.opts, *one.secondary_opts)
    }
    assert {word for word in words if word.startswith("--")} <= known, f"{file}: {words}"


def test_compose_uses_only_keys_that_are_known(compose, services) -> None:
    plain = {key for key in compose if not key.startswith("x-")}
    assert plain == {"name", "services", "networks", "volumes"}
    assert {"redis", "postgres", "api", "worker", "dashboards"} <= set(services)
    for name, service in services.items():
        assert set(service) <= SERVICE, name
        assert set(service["healthcheck"]) <= HEALTH, name


def test_services_refer_to_what_is_there_and_leave_nothing_unused(compose, services) -> None:
    networks, volumes = set(), set()
    for name, service in services.items():
        networks |= set(service["networks"])
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).is_file(), f"{name}: {source}"
                assert volume.endswith(":ro")
            else:
                volumes.add(source)
        for other, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert "test" in services[other]["healthcheck"]
    assert networks == set(compose["networks"])
    assert volumes == set(compose["volumes"])
    assert compose["networks"]["inside"] == {"internal": True}


def test_services_are_bounded_watched_and_without_rights(services) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"cpus", "memory", "pids"} <= set(service["deploy"]["resources"]["limits"]), name
        assert service["logging"]["options"]["max-size"], name
        once = "profiles" in service
        assert service["healthcheck"].get("disable", False) is once, name
        assert service["restart"] == ("no" if once else "unless-stopped"), name
        assert not service["image"].endswith("latest"), name
        if "build" not in service:
            assert PINNED.fullmatch(service["image"]), name
            assert service["user"] not in ("0", "root", "0:0"), name


def test_only_the_loopback_is_published(services) -> None:
    ports = {name: one["ports"] for name, one in services.items() if "ports" in one}
    assert set(ports) == {"api", "dashboards"}
    for published in ports.values():
        assert all(port.startswith("127.0.0.1:") for port in published)
    assert all("edge" in services[name]["networks"] for name in ports)
    assert services["redis"]["networks"] == services["postgres"]["networks"] == ["inside"]


def test_secrets_come_from_the_environment_and_nothing_starts_without() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    example = dict(
        line.split("=", 1)
        for line in (DEPLOY / ".env.example").read_text().splitlines()
        if line and not line.startswith("#")
    )
    used = re.findall(r"(?<!\$)\$\{(\w+)(:[?-][^}]*)?\}", text)
    assert {name for name, _ in used} == set(example)
    for name, otherwise in used:
        secret = re.search("PASSWORD|SECRET|_KEY$", name) is not None
        assert otherwise.startswith(":?" if secret else ":-"), name
        assert not (secret and example[name]), f"{name} has a value in .env.example"
    for line in text.splitlines():
        found = re.match(r"\s*(\w*(?:PASSWORD|SECRET|REDISCLI_AUTH)\w*):\s*(\S.*)", line)
        assert not found or found[2].startswith("${"), line


def test_the_env_file_is_kept_out_of_git_and_of_the_image() -> None:
    assert "deploy/.env" in (ROOT / ".gitignore").read_text().splitlines()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    assert all(line.startswith("!") or "__pycache__" in line for line in ignored[1:])


def test_the_dockerfile_is_of_known_instructions_on_pinned_bases(dockerfile) -> None:
    assert {head for head, _ in dockerfile} == INSTRUCTIONS
    bases = [rest.split()[0] for head, rest in dockerfile if head == "FROM"]
    assert len(bases) == 2
    assert all(PINNED.fullmatch(base) and "slim" in base for base in bases)
    assert len(set(bases)) == 1
    assert dockerfile[-2] == ("USER", "10001:10001")
    assert dockerfile[-1][0] == "CMD"
    for head, rest in dockerfile:
        if rest.startswith("["):
            assert all(isinstance(word, str) for word in json.loads(rest)), head
    installs = [json.loads(rest) for head, rest in dockerfile if head == "RUN" and "pip" in rest]
    assert any("--require-hashes" in one and "requirements.lock" in one for one in installs)
    (check,) = [rest for head, rest in dockerfile if head == "HEALTHCHECK"]
    assert "/health/live" in check
    assert not re.search(r"curl|wget|sudo|apt-get|://(?!127\.0\.0\.1)", str(dockerfile))


def test_what_the_image_copies_is_in_the_repository_and_let_through(dockerfile) -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    stages = [rest.split(" AS ")[1] for head, rest in dockerfile if " AS " in rest]
    copied = set()
    for head, rest in dockerfile:
        if head != "COPY":
            continue
        words = rest.split()
        if words[0].startswith("--from="):
            assert words[0].removeprefix("--from=") in stages
            continue
        for source in words[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored, source
            copied.add(f"!{source}")
    assert copied == {line for line in ignored if line.startswith("!")}


def test_the_proxies_know_every_port_and_hold_nothing_back(services) -> None:
    nginx = (DEPLOY / "proxy" / "nginx.conf").read_text()
    caddy = (DEPLOY / "proxy" / "Caddyfile").read_text()
    ours = {
        published.rsplit(":", 1)[0]
        for name in ("api", "dashboards")
        for published in services[name]["ports"]
    }
    for text in (nginx, caddy):
        assert set(re.findall(r"127\.0\.0\.1:\d+", text)) == ours
        assert text.count("{") == text.count("}")
        assert "Strict-Transport-Security" in text
        assert "/v1/stream" in text
    assert "proxy_buffering off" in nginx
    assert "flush_interval -1" in caddy
    block = nginx[nginx.index("location = /v1/stream") :].split("}")[0]
    for said in ("Upgrade $http_upgrade", "Connection $connection_upgrade", "proxy_read_timeout",
                 "X-Forwarded-For $remote_addr", "X-Forwarded-Proto $scheme"):  # fmt: skip
        assert said in block
    lines = [line.strip() for line in nginx.splitlines() if line.strip()]
    assert all(line[0] == "#" or line[-1] in ";{}" for line in lines)


def test_redis_keeps_what_it_acknowledged() -> None:
    lines = (DEPLOY / "redis.conf").read_text().splitlines()
    told = dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    assert (told["appendonly"], told["appendfsync"]) == ("yes", "always")
    assert told["maxmemory-policy"] == "noeviction"


def test_files_that_the_readme_names_are_there() -> None:
    text = (DEPLOY / "README.md").read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (DEPLOY / target).exists(), target
    for target in re.findall(r"\bdeploy/[\w./-]*\w", text):
        assert target == "deploy/.env" or (ROOT / target).exists(), target
