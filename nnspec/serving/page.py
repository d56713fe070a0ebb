"""The page that describes the server to people: one HTML file that loads nothing, with commands to paste."""

import json
import shlex
from collections.abc import Iterator
from html import escape
from typing import Any

from starlette.responses import Response

from nnspec.serving.answers import HEADERS
from nnspec.serving.forms import FIELD
from nnspec.serving.json_samples import KEY
from nnspec.serving.served import Served

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8886; border-radius: 4px; font-size: .85rem }
table { border-collapse: collapse } th, td { text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top }
h2 { margin-top: 2.5rem; border-top: 1px solid #8886; padding-top: 1rem }
"""


def page(served: Served, document: dict[str, Any], address: str) -> Response:
    """Return the page. `address` is that by which the server was asked."""
    title = escape(document["info"]["title"])
    body = "".join(_parts(served, document, address))
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    )
    return Response(html, 200, {**HEADERS, "Content-Security-Policy": _POLICY}, "text/html")


def _parts(served: Served, document: dict[str, Any], address: str) -> Iterator[str]:
    yield f"<p>{escape(document['info']['description'])}</p>"
    yield f"<p>SHA-256 of the checkpoint: <code>{escape(served.digest)}</code>, nnspec {escape(served.version)}.</p>"
    if served.classes is not None:
        yield f"<p>Classes: {escape(', '.join(served.classes[:100]))}</p>"
    if served.pictures:
        yield (
            '<form method="post" action="/predict" enctype="multipart/form-data"><label>Try a picture: '
            f'<input type="file" name="{FIELD}" accept="image/*" required></label> <button>Predict</button></form>'
        )
    for command in examples(served, address):
        yield f"<pre>{escape(command)}</pre>"
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield from _operation(path, method, operation)
    yield '<p>The same for programs: <a href="/openapi.json">openapi.json</a>.</p>'


def _operation(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation['summary'])}</p>"
    if parameters := operation.get("parameters"):
        yield "<table><tr><th>setting</th><th>meaning</th><th>default</th></tr>"
        for one in parameters:
            cells = one["name"], one["schema"].get("description", one.get("description", "")), _default(one["schema"])
            yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
        yield "</table>"
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        yield f"<p>A body is {escape(', '.join(content))}.</p>"
        shown = json.dumps(content["application/json"]["schema"], indent=1, ensure_ascii=False)
        yield f"<details><summary>JSON Schema of the samples</summary><pre>{escape(shown)}</pre></details>"
    yield "<table><tr><th>status</th><th>meaning</th><th>type</th></tr>"
    for status, answer in operation["responses"].items():
        cells = status, answer["description"], ", ".join(answer.get("content", {}))
        yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
    yield "</table>"


def _default(schema: dict[str, Any]) -> str:
    return "" if schema.get("default") is None else str(schema["default"])


def examples(served: Served, address: str) -> list[str]:
    """Return commands that ask this server, to be pasted into a shell."""
    predict = f"{address}/predict"
    found = []
    if served.pictures:
        found.append(f"curl -H 'Content-Type: image/png' --data-binary @picture.png {shlex.quote(predict)}")
    sample = json.dumps({KEY: [example(served)]}, ensure_ascii=False)
    if len(sample) < 400:
        found.append(f"curl --json {shlex.quote(sample)} {shlex.quote(predict)}")
    found.append(f"curl -H 'Content-Type: application/x-npy' --data-binary @samples.npy {shlex.quote(predict)}")
    if served.explains:
        occlude = shlex.quote(f"{address}/occlude?window=3")
        found.append(
            f"curl -H 'Content-Type: image/png' -H 'Accept: image/png' --data-binary @picture.png -o map.png {occlude}"
        )
    return found


def example(served: Served) -> Any:
    """Return a sample that the network takes: a row where it reads a table, else zeros."""
    if served.columns is not None and served.rows_of_a_sample == 1:
        return {column.name: _cell(column.cell_schema()) for column in served.columns.columns}
    entry: Any = 0
    for size in reversed(served.shape):
        entry = [entry] * size
    return entry


def _cell(schema: dict[str, Any]) -> Any:
    if schema.get("format") == "date":
        return "2020-01-31"
    given = schema.get("examples") or schema.get("enum") or [0]
    return given[0]
