"""Diagnostics in SARIF 2.1.0 (OASIS 2023), which code hosts show next to the lines of a change."""

from collections.abc import Iterable
from pathlib import PurePath
from urllib.parse import quote

from nnspec.spec_lang.report.codes import TABLE
from nnspec.spec_lang.report.diagnostics import Diagnostic
from nnspec.spec_lang.source import Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_sarif(diagnostics: Iterable[Diagnostic]) -> dict[str, object]:
    """Return a SARIF run with a result for each diagnostic and a rule for each of their codes."""
    found = list(diagnostics)
    codes = sorted({diagnostic.code for diagnostic in found})
    rules = [
        {
            "id": code,
            "shortDescription": {"text": TABLE[code].title},
            "fullDescription": {"text": TABLE[code].explanation},
        }
        for code in codes
    ]
    results = [_result(diagnostic, codes.index(diagnostic.code)) for diagnostic in found]
    run = {
        "tool": {"driver": {"name": "nnspec", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, object]:
    sentences = [diagnostic.message, *diagnostic.notes, *([diagnostic.help] if diagnostic.help else [])]
    around = [
        {"id": number, "message": {"text": f"in {trace.what}, written here"}, **_location(trace.span)}
        for number, trace in enumerate(diagnostic.around(), 1)
    ]
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": "\n".join(sentences)},
        "locations": [_location(diagnostic.span)],
        **({"relatedLocations": around} if around else {}),
    }


def _location(span: Span) -> dict[str, object]:
    """Lines and columns from 1; the end column is the first one after the span."""
    line, column = span.source.place(span.start)
    end_line, end_column = span.source.place(span.end)
    region = {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(span.source.name)}, "region": region}}


def _uri(name: str) -> str:
    """Return a path as a URI; a relative path stays relative to the working directory of the command."""
    path = PurePath(name)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
