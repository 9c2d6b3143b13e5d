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


def test_importing_leadlab_loads_nothing_heavy() -> None:
    """Also the reason why it takes less than 150 ms; `benchmarks/imports.py` measures that."""
    code = f"import sys, leadlab; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("room", ["schema", "data", "features", "models", "explain", "stream"])
def test_rooms_below_the_pages_load_no_page_library(room: str) -> None:
    heavy = ("panel", "bokeh", "holoviews", "shap", "duckdb", "pooch", "requests")
    code = f"import sys, leadlab.{room}; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def commands() -> list[str]:
    lines = [
        line.split("#")[0].strip() for block in blocks("console") for line in block.splitlines()
    ]
    return [line for line in lines if line]


def environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LEADLAB_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "LEADLAB_HOME": str(home)}


def test_the_readme_shows_the_two_commands_first_and_make_knows_them() -> None:
    made = [c for c in commands() if c.startswith("make")]
    assert made[:2] == ["make serve", "make test"]
    named = re.findall(r"`(make [a-z]+)`", (ROOT / "README.md").read_text())
    for command in {*made, *named}:
        done = subprocess.run(
            [*shlex.split(command), "-n"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_every_leadlab_command_of_the_readme_runs(tmp_path: Path) -> None:
    ours = [c for c in commands() if not c.startswith("make")]
    assert len(ours) >= 5
    for command in ours:
        done = subprocess.run(
            shlex.split(command), cwd=tmp_path, env=environment(tmp_path / "home"),
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stderr}"


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    code = "\n".join(blocks("python"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=environment(tmp_path),
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "view_recency" in done.stdout


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
