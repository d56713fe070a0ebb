"""Diagnostics in SARIF 2.1.0 (OASIS 2023), with what code hosts ask for to show them next to the lines of a change."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePath
from urllib.parse import quote

from nnspec.spec_lang.report.codes import TABLE, Entry
from nnspec.spec_lang.report.diagnostics import Diagnostic, Fix
from nnspec.spec_lang.source import Source, Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://github.com/nnspec/nnspec"
ROOT = "%SRCROOT%"
"""The name of the folder that paths are relative to: that of the repository."""


def as_sarif(diagnostics: Iterable[Diagnostic], version: str, folder: Path | None = None) -> dict[str, object]:
    """Return a SARIF run with a result for each diagnostic and a rule for each of their codes.

    An error in a file that several specs include is one result. Paths are relative to the root of the repository around
    `folder`, by default the current one, or to the folder itself where there is no repository.
    """
    found = _once(diagnostics)
    levels = {diagnostic.code: diagnostic.severity for diagnostic in found}
    codes = sorted(levels)
    root = repository_root((folder or Path()).resolve())
    driver = {
        "name": "nnspec",
        "version": version,
        "semanticVersion": version,
        "informationUri": HOME,
        "rules": [_rule(code, TABLE[code], levels[code]) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "originalUriBaseIds": {ROOT: {"uri": f"{root.as_uri().rstrip('/')}/"}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(diagnostic, codes.index(diagnostic.code), root) for diagnostic in found],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def repository_root(folder: Path) -> Path:
    """Return the root of the repository around a folder, the folder itself where it is in none."""
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), folder)


def _once(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the diagnostics without those of the same place and message, as two specs have that include one file."""
    found: dict[object, Diagnostic] = {}
    for diagnostic in diagnostics:
        span = diagnostic.span
        place = _path(span.source) or span.source.name, span.start, span.end
        found.setdefault((diagnostic.code, diagnostic.message, place), diagnostic)
    return list(found.values())


def _rule(code: str, entry: Entry, level: str) -> dict[str, object]:
    title = f"{code}: {entry.title}"
    anchor = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
    example = f"```nnspec\n{entry.bad}```\n\nWrite:\n\n```nnspec\n{entry.fixed}```"
    return {
        "id": code,
        "name": "".join(re.findall(r"\w+", entry.title.title())),
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": entry.explanation},
        "help": {
            "text": f"{entry.explanation}\n\n{entry.bad}\nWrite:\n\n{entry.fixed}",
            "markdown": f"{entry.explanation}\n\n{example}",
        },
        "helpUri": f"{HOME}/blob/main/docs/errors.md#{anchor}",
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["correctness"], "precision": "very-high", "problem.severity": level},
    }


def _result(diagnostic: Diagnostic, rule: int, root: Path) -> dict[str, object]:
    sentences = [diagnostic.message, *diagnostic.notes, *([diagnostic.help] if diagnostic.help else [])]
    around = [
        {"id": number, "message": {"text": f"in {trace.what}, written here"}, **_location(trace.span, root)}
        for number, trace in enumerate(diagnostic.around(), 1)
    ]
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": "\n".join(sentences)},
        "locations": [_location(diagnostic.span, root)],
        **({"relatedLocations": around} if around else {}),
        **({"fixes": [_fix(diagnostic.fix, diagnostic.help, root)]} if diagnostic.fix is not None else {}),
    }


def _fix(fix: Fix, help: str | None, root: Path) -> dict[str, object]:
    replacements = [{"deletedRegion": _region(span), "insertedContent": {"text": fix.text}} for span in fix.spans]
    change = {"artifactLocation": _artifact(fix.span.source, root), "replacements": replacements}
    description = {"text": help or f"write {fix.text}"}
    return {"description": description, "artifactChanges": [change], "properties": {"preferred": fix.sure}}


def _location(span: Span, root: Path) -> dict[str, object]:
    return {"physicalLocation": {"artifactLocation": _artifact(span.source, root), "region": _region(span)}}


def _region(span: Span) -> dict[str, int]:
    """Return lines and columns from 1; the end column is the first one after the span."""
    line, column = span.source.place(span.start)
    end_line, end_column = span.source.place(span.end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _artifact(source: Source, root: Path) -> dict[str, str]:
    """Return the URI of a text: relative to the root of the repository, absolute outside it."""
    path = _path(source)
    if path is None:
        named = PurePath(source.name)
        return {"uri": named.as_uri() if named.is_absolute() else quote(named.as_posix())}
    if path.is_relative_to(root):
        return {"uri": quote(path.relative_to(root).as_posix()), "uriBaseId": ROOT}
    return {"uri": path.as_uri()}


def _path(source: Source) -> Path | None:
    """Return the resolved path of a text from a file, None for any other."""
    return Path(source.name).resolve() if source.folder is not None else None
