"""The units in `deploy/systemd/`: known keys, hardened, and agreed with each other."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[1] / "deploy" / "systemd"
LONG_RUNNING = ["leadlab-serve.service", "leadlab-worker@.service"]
KEYS = {
    "Unit": {
        "Description", "Documentation", "After", "Before", "Wants", "PartOf",
        "StartLimitIntervalSec", "StartLimitBurst",
    },
    "Service": {
        "Type", "User", "Group", "EnvironmentFile", "Environment", "WorkingDirectory", "ExecStart",
        "Restart", "RestartSec", "KillSignal", "TimeoutStopSec", "LimitNOFILE", "MemoryHigh",
        "MemoryMax", "TasksMax", "StateDirectory", "StateDirectoryMode", "CacheDirectory", "UMask",
        "NoNewPrivileges", "CapabilityBoundingSet", "AmbientCapabilities", "ProtectSystem",
        "ProtectHome", "PrivateTmp", "PrivateDevices", "PrivateNetwork", "ProtectClock",
        "ProtectControlGroups", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules",
        "ProtectKernelTunables", "ProtectProc", "RestrictAddressFamilies", "RestrictNamespaces",
        "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality", "RemoveIPC",
        "SystemCallArchitectures", "SystemCallFilter", "SystemCallErrorNumber", "Nice",
        "IOSchedulingClass", "ReadWritePaths",
    },
    "Timer": {"OnCalendar", "RandomizedDelaySec", "Persistent"},
    "Install": {"WantedBy"},
}  # fmt: skip


def read(name: str) -> dict[str, dict[str, list[str]]]:
    """Sections, their keys, and every value of each."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in (UNITS / name).read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            own = sections.setdefault(line.strip("[]"), {})
            continue
        key, sign, value = line.partition("=")
        assert sign and key == key.strip(), f"{name}: {line}"
        own.setdefault(key, []).append(value)
    return sections


@pytest.mark.parametrize("name", sorted(path.name for path in UNITS.iterdir()))
def test_sections_and_keys_are_known(name: str) -> None:
    for section, keys in read(name).items():
        assert set(keys) <= KEYS[section], f"{name} [{section}]"


@pytest.mark.parametrize("name", [*LONG_RUNNING, "leadlab-backup.service"])
def test_services_have_no_rights_that_they_do_not_need(name: str) -> None:
    service = read(name)["Service"]
    for key, value in {
        "User": "leadlab", "NoNewPrivileges": "true", "CapabilityBoundingSet": "",
        "ProtectSystem": "strict", "ProtectHome": "true", "PrivateTmp": "true",
        "PrivateDevices": "true", "RestrictSUIDSGID": "true", "StateDirectory": "leadlab",
    }.items():  # fmt: skip
        assert service[key] == [value], key
    assert "MemoryDenyWriteExecute" not in service, "kernels are compiled while it runs"


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_what_runs_on_comes_back_and_writes_only_where_it_may(name: str) -> None:
    service = read(name)["Service"]
    assert service["Restart"] == ["always"]
    environment = dict(
        pair.split("=", 1) for line in service["Environment"] for pair in shlex.split(line)
    )
    assert environment["LEADLAB_HOME"] == f"/var/lib/{service['StateDirectory'][0]}"
    assert environment["NUMBA_CACHE_DIR"] == f"/var/cache/{service['CacheDirectory'][0]}"
    assert not re.search("PASSWORD|SECRET|://", str(service["Environment"]))
    assert service["EnvironmentFile"] == ["/etc/leadlab/leadlab.env"]


def test_units_that_are_named_are_there() -> None:
    names = {path.name for path in UNITS.iterdir()}
    text = "".join((UNITS / name).read_text() for name in names)
    readme = (UNITS.parent / "README.md").read_text()
    for named in re.findall(r"leadlab[\w-]*(?:@\d*)?\.(?:service|timer|target)", text + readme):
        assert re.sub(r"@\d+", "@", named) in names, named


def test_systemd_itself_has_nothing_to_say(tmp_path: Path) -> None:
    """Where it is installed. What the units start is not on this machine: `true` stands for it."""
    if shutil.which("systemd-analyze") is None:
        return
    for path in UNITS.iterdir():
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", path.read_text(), flags=re.M)
        (tmp_path / path.name.replace("@.", "@1.")).write_text(text)
    (tmp_path / "leadlab-worker@2.service").write_text(
        (tmp_path / "leadlab-worker@1.service").read_text()
    )
    files = [str(p) for p in sorted(tmp_path.iterdir()) if p.suffix != ".conf"]
    done = subprocess.run(
        ["systemd-analyze", "verify", *files],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "leadlab" in line]
    assert (done.returncode, ours) == (0, [])
