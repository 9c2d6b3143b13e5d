"""What the project promises of itself: dependencies, imports, README."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import jupytext
import pytest
import yaml

from leadlab.cli.app import run
from leadlab.data import simulate

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {
    "xgboost": "xgboost-cpu",
    "h3-py": "h3",
    "python-duckdb": "duckdb",
    "playwright-python": "playwright",
    "prometheus_client": "prometheus-client",
    "redis-py": "redis",
}
HEAVY = ("panel", "fastapi", "shap", "redis", "duckdb", "pandas", "numba", "xgboost")


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def declared() -> dict[str, str]:
    """Direct dependencies of the package and of the extras that the lock holds: name to bound."""
    content = project()
    extras = content["optional-dependencies"]
    locked = ("app", "notebook", "clv", "s3", "uplift", "live", "dev")
    named = [*content["dependencies"], *(line for extra in locked for line in extras[extra])]
    found = (re.fullmatch(r"([a-z0-9-]+)(?:\[\w+\])?(>=[\d.]+)", line) for line in named)
    return dict(one.groups() for one in found)


def test_conda_names_the_same_dependencies_with_the_same_bounds() -> None:
    lines = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    found = dict(line.split(" ", 1) for line in lines)
    python = found.pop("python")
    assert python == project()["requires-python"]
    assert {CONDA_NAMES.get(name, name): bound for name, bound in found.items()} == declared()


def test_the_lock_holds_every_dependency_once_with_hashes_and_no_addresses() -> None:
    text = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE)
    for name in declared():
        assert len([n for n, _ in pinned if n == name]) == (3 if name == "shap" else 1), name
    assert "://" not in text
    assert not re.search(r"nvidia|cuda", text)
    blocks = re.split(r"\n(?=[a-z])", text.strip())
    assert all("--hash=sha256:" in block for block in blocks)


def test_the_bench_lock_pins_what_both_hold_to_the_same_version() -> None:
    locks = [
        dict(re.findall(r"^([a-z0-9-]+)==([\w.]+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-bench.lock")
    ]
    both = locks[0].keys() & locks[1].keys()
    assert {n: locks[0][n] for n in both} == {n: locks[1][n] for n in both}
    peers = [re.match(r"[a-z-]+", p)[0] for p in project()["optional-dependencies"]["bench"]]
    assert set(peers) <= locks[1].keys()


def test_imports_stay_light() -> None:
    """Also the reason why `import leadlab` takes less than 150 ms: see `benchmarks/imports.py`.

    One process for all, since each takes seconds to import anything: what a room loads is told
    after it, and a library that is loaded once stays loaded.
    """
    for_pages = ("panel", "bokeh", "holoviews", "shap", "duckdb", "pooch", "requests", "fastapi")
    code = f"""
import importlib, sys
def told(after, heavy):
    print(after, [m for m in heavy if m in sys.modules])
import leadlab
told("leadlab", {HEAVY!r})
import leadlab.cli.app
told("cli.app", {HEAVY!r})
for room in ("schema", "data", "features", "models", "explain", "stream"):
    importlib.import_module("leadlab." + room)
    told(room, {for_pages!r})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 8
    assert [line for line in lines if not line.endswith(" []")] == []


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def commands() -> list[str]:
    lines = [
        line.split("#")[0].strip() for block in blocks("console") for line in block.splitlines()
    ]
    return [line for line in lines if line]


def test_the_readme_shows_the_two_commands_first_and_make_knows_them() -> None:
    made = [c for c in commands() if c.startswith("make")]
    assert made[:2] == ["make serve", "make test"]
    named = re.findall(r"`(make [a-z]+)`", (ROOT / "README.md").read_text())
    for command in {*made, *named}:
        done = subprocess.run(
            [*shlex.split(command), "-n"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, a home of its own, no public data."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("LEADLAB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LEADLAB_HOME", str(tmp_path / "home"))


@pytest.mark.usefixtures("nowhere")
def test_every_leadlab_command_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands there, on fewer leads."""
    monkeypatch.setattr("leadlab.cli.demo.simulate", lambda _, __, seed: simulate(900, 400, seed))
    monkeypatch.setattr("leadlab.cli.churn.NIGHTS", 4_000)
    size = "--leads 2000 --days 365"
    ours = [c for c in commands() if not c.startswith("make")]
    assert len(ours) >= 5
    assert any(size in command for command in ours)
    for command in ours:
        name, *arguments = shlex.split(command.replace(size, "--leads 800 --days 300"))
        assert (name, run(arguments)) == ("leadlab", 0), command


@pytest.mark.usefixtures("nowhere")
def test_the_python_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """As it stands there, on fewer leads; in a process of its own it would import for seconds."""
    code = "\n".join(blocks("python"))
    size = "simulate(3_000, 700)"
    assert size in code
    exec(compile(code.replace(size, "simulate(800, 300)"), "README.md", "exec"), {})
    assert "view_recency" in capsys.readouterr().out


def test_what_the_readme_links_to_is_there() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target


def test_no_file_names_a_registry_or_a_path_of_some_machine() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    hosts = "|".join(re.escape(h[::-1]) for h in ("gro.ipyp", "gro.detsohnohtyp", "gro.sjmpn"))
    homes = "|".join(re.escape(h[::-1]) for h in ("/toor/", "/emoh/"))
    for name in tracked:
        file = ROOT / name
        if file.suffix not in {".png", ".ico", ".woff2"} and file.is_file():
            assert not re.search(f"{hosts}|{homes}", file.read_text()), name


def test_notebooks_are_stripped_and_paired_with_their_scripts() -> None:
    books = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert books
    for book in books:
        cells = json.loads(book.read_text())["cells"]
        code = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
        assert all(not c.get("outputs") for c in cells), f"{book.name} holds outputs"
        assert len(code) <= 15
        script = jupytext.read(book.with_suffix(".py"))
        assert [c.source for c in script.cells if c.cell_type == "code"] == code, book.name
