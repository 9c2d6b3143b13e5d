"""``/docs``: what the API offers, as one page that needs nothing from anywhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

Schema = Mapping[str, Any]


def docs_page(schema: Schema) -> str:
    """Write an OpenAPI description out for people.

    Parameters
    ----------
    schema : mapping
        From ``FastAPI.openapi()``.

    Examples
    --------
    >>> operation = {"tags": ["leads"], "summary": "Leads", "responses": {"200": {}}}
    >>> page = docs_page({"info": {"title": "leadlab", "version": "1", "description": "One `x`."},
    ...                   "paths": {"/v1/leads": {"get": operation}}})
    >>> "<code>x</code>" in page, "curl" in page
    (True, True)
    """
    by_tag: dict[str, list[str]] = {}
    for path, operations in schema["paths"].items():
        for verb, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            by_tag.setdefault(tag, []).append(_operation(verb, path, operation))
    info = schema["info"]
    page = Template(files("leadlab.api").joinpath("look/docs.html").read_text("utf-8"))
    return page.substitute(
        title=escape(info["title"]),
        version=escape(info["version"]),
        about=_prose(info.get("description", "")),
        contents=" ".join(f'<a href="#{escape(tag)}">{escape(tag)}</a>' for tag in by_tag),
        sections="\n".join(
            f'<section id="{escape(tag)}"><h2>{escape(tag)}</h2>{"".join(parts)}</section>'
            for tag, parts in by_tag.items()
        ),
    )


def _operation(verb: str, path: str, operation: Schema) -> str:
    summary, _, rest = operation.get("description", "").partition("\n")
    return (
        f'<details><summary><span class="verb {verb}">{verb.upper()}</span>'
        f'<span class="path">{escape(path)}</span>'
        f'<span class="about">{_inline(summary or operation.get("summary", ""))}</span></summary>'
        f'<div class="inside">{_prose(rest)}'
        f"{_table('parameter', _parameters(operation))}"
        f"<pre>{escape(_curl(verb, path, operation))}</pre>"
        f"{_table('answer', _answers(operation))}</div></details>"
    )


def _parameters(operation: Schema) -> Iterator[tuple[str, str]]:
    for one in operation.get("parameters", ()):
        kind = one.get("schema", {})
        kind = next((k for k in kind.get("anyOf", ()) if k.get("type") != "null"), kind)
        inner = kind.get("items", kind)
        said = [str(kind.get("type", "")), one["in"]]
        if one.get("required"):
            said.append("needed")
        if "enum" in inner:
            said.append("one of " + ", ".join(map(str, inner["enum"])))
        if "minimum" in inner and "maximum" in inner:
            said.append(f"{inner['minimum']} to {inner['maximum']}")
        if one.get("schema", {}).get("default") is not None:
            said.append(f"{one['schema']['default']} when not given")
        yield one["name"], "; ".join(filter(None, said))


def _answers(operation: Schema) -> Iterator[tuple[str, str]]:
    for status, told in sorted(operation["responses"].items()):
        yield status, str(told.get("description", ""))


def _table(what: str, rows: Iterator[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(said)}</td></tr>"
        for name, said in rows
    )
    return f"<table><tr><th>{what}</th><th></th></tr>{cells}</table>" if cells else ""


def _curl(verb: str, path: str, operation: Schema) -> str:
    """One call that may be tried as it is, but for the token."""
    told = path.replace("{lead}", "ann")
    words = [f'curl -H "Authorization: Bearer $TOKEN" localhost:8000{told}']
    if operation.get("tags") == ["health"]:
        words = [f"curl localhost:8000{told}"]
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        example = content["application/json"].get("example", {})
        words.append(f"-H 'Content-Type: application/json' -d '{json.dumps(example)}'")
    elif verb == "post":
        words.append("-X POST")
    return " \\\n  ".join(words)


def _prose(text: str) -> str:
    """Paragraphs, with what stands between backticks as code."""
    parts = re.split(r"\n\s*\n", text.strip())
    return "".join(f"<p>{_inline(part)}</p>" for part in parts if part)


def _inline(text: str) -> str:
    return re.sub(r"`+([^`]+)`+", r"<code>\1</code>", escape(text, quote=False))
