"""What a page in a browser shows of a text: findings with their fixes, shapes, the network's graph, totals.

The playground calls it in the browser, the studio over HTTP. Everything that is returned can be written as JSON. A
place in the text is a number of UTF-16 units from its start, which is how a browser counts; lines end in one character.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from nnspec.spec_lang.check.graph_outline import Branches, Element, Frame, LayerBox, count, outline
from nnspec.spec_lang.check.spec import Node, Spec
from nnspec.spec_lang.editor.actions import title
from nnspec.spec_lang.editor.complete import complete as completed
from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.editor.findings import sentences, shown_at
from nnspec.spec_lang.editor.hints import parameters_by_line, shapes_after
from nnspec.spec_lang.editor.hover import hover as hovered
from nnspec.spec_lang.editor.positions import Positions
from nnspec.spec_lang.report.diagnostics import Diagnostic, Fix
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.vocabulary.summary import known_words

Json = dict[str, Any]

NAME = "spec.nnspec"
"""The name of a text that no file has."""

MOST_DRAWN = 400
"""Layers in one graph, repeats counted once."""

MOST_LISTED = 400
"""Layers in the list of layers."""


def analyse(
    text: str,
    variant: str | None = None,
    sample: Sequence[int] | None = None,
    name: str = NAME,
    folder: Path | None = None,
) -> Json:
    """Return what is known of a text.

    Arguments:
        text: a spec, perhaps with mistakes.
        variant: the variant to show; ignored if the text has none of that name.
        sample: the shape of a sample, for a text that leaves it to the data; ignored where the text says it.
        name: the name of the text in messages.
        folder: where relative paths of the text start, None for the current folder.

    Returns a dictionary:

    - `valid`: whether there is no error.
    - `diagnostics`: each with `code`, `severity`, `message`, `text` (message, notes and help), `from` and `to`, `line`
      and `column` from 1, and `fixes`, each with `title`, `sure` and `edits` of `from`, `to` and `text`.
    - `lines`: each `line` on which stages end, with the `shapes` after them, equal neighbours once, and `parameters`.
    - `stages`: the `from` and `to` of each stage, its `shape`, and the names of its `layers`.
    - `graph`: None where shapes are not known, else `input`, `parts` (see below), `layers` (the first 400 in order:
      `name`, `text`, `inputs`, `shape`, `parameters`, `flops`, `line`) and `more`, the number of further ones.
    - `totals`: None where shapes are not known, else `layers`, `parameters`, `trainable`, `flops` of the forward pass
      of one sample, `memory` in bytes of training, `batch`, `input` and `output`.
    - `missing`: why there is no graph, "" where there is one. A text with errors outside its network has a graph.
    - `open`: whether the text leaves the shape of a sample to the data, so that `sample` counts.
    - `variants`: their names, and `variant`, the one that is shown.

    A part is a `layer` (`text`, `weights`, `shape`, `name`, `from`, `to`), a `frame` (`title`, `parts`, `shape`) or a
    `fork` (`branches`, each a list of parts, empty for skip; `joint`, `shape`, `name`).
    """
    document = _document(text, variant, name, folder)
    tentative = document.examined.tentative
    left_open = tentative is not None and tentative.input is None
    if left_open and sample is not None:
        document = Document(document.source, variant=document.variant, sample=sample)
        tentative = document.examined.tentative
    positions = Positions(document.source)
    found = document.examined.found
    network = tentative if tentative is not None and tentative.nodes else None
    return {
        "valid": document.examined.spec is not None,
        "diagnostics": [_finding(finding, positions) for finding in found],
        "lines": _lines(document),
        "stages": [
            {
                **_place(span, positions),
                "shape": shapes_after(passages),
                "layers": [node.name for passage in passages for node in passage.nodes][:MOST_LISTED],
            }
            for span, passages in document.expansions()
        ],
        "graph": _graph(network, positions) if network is not None else None,
        "totals": _totals(network) if network is not None else None,
        "missing": _missing(tentative),
        "open": left_open,
        "variants": list(document.known.variants),
        "variant": document.variant,
    }


def complete(text: str, offset: int, variant: str | None = None, name: str = NAME, folder: Path | None = None) -> Json:
    """Return `from` and `to` of the word at a place, and the `items` that can replace it.

    An item has `text`, `kind`, `detail`, `about` in Markdown, and `snippet`, which is "" or has places to fill in as
    the Language Server Protocol writes them.
    """
    document = _document(text, variant, name, folder)
    positions = Positions(document.source)
    found = completed(document, positions.at_index(offset))
    return {**_place(found.span, positions), "items": [item._asdict() for item in found.items]}


def hover(
    text: str, offset: int, variant: str | None = None, name: str = NAME, folder: Path | None = None
) -> Json | None:
    """Return the `text` about the word at a place, in Markdown, with its `from` and `to`; None if there is none."""
    document = _document(text, variant, name, folder)
    positions = Positions(document.source)
    found = hovered(document, positions.at_index(offset))
    return {**_place(found.span, positions), "text": found.text} if found is not None else None


def formatted(text: str) -> str | None:
    """Return the text in the form of `nnspec fmt`, None if it has syntax errors."""
    try:
        return format_source(Source(NAME, text), known_words())
    except SpecError:
        return None


ANSWERS: dict[str, Callable[..., object]] = {
    "analyse": analyse,
    "complete": complete,
    "hover": hover,
    "formatted": formatted,
}
"""The questions of a page, by name."""


def _document(text: str, variant: str | None, name: str, folder: Path | None) -> Document:
    document = Document(Source(name, text, folder))
    if variant is not None and variant in document.known.variants:
        return Document(document.source, variant=variant)
    return document


def _place(span: Span, positions: Positions) -> Json:
    return {"from": positions.index(span.start), "to": positions.index(span.end)}


def _finding(finding: Diagnostic, positions: Positions) -> Json:
    source = positions.source
    span = shown_at(finding, source)
    inside = span.source is source
    line, column = source.place(span.start) if inside else (1, 1)
    elsewhere = f"{finding.span.shown()}: " if span is not finding.span or not inside else ""
    around = [f"in {trace.what}, written at {trace.span.shown()}" for trace in finding.around()]
    fix = finding.fix
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": elsewhere + finding.message,
        "text": "\n".join([elsewhere + sentences(finding), *around]),
        **(_place(span, positions) if inside else {"from": 0, "to": 0}),
        "line": line,
        "column": column,
        "fixes": [_fix(fix, positions)] if fix is not None and fix.span.source is source else [],
    }


def _fix(fix: Fix, positions: Positions) -> Json:
    edits = [{**_place(span, positions), "text": fix.text} for span in fix.spans]
    return {"title": title(fix), "sure": fix.sure, "edits": edits}


def _lines(document: Document) -> list[Json]:
    found = list(document.expansions())
    parameters = parameters_by_line(document.source, found)
    shapes: dict[int, list[str]] = {}
    for span, passages in sorted(found, key=lambda one: one[0].end):
        along = shapes.setdefault(document.source.place(span.end)[0], [])
        if (shape := shapes_after(passages)) and along[-1:] != [shape]:
            along.append(shape)
    return [
        {"line": line, "shapes": along, "parameters": parameters.get(line, 0)}
        for line, along in sorted(shapes.items())
        if along
    ]


def _graph(spec: Spec, positions: Positions) -> Json:
    parts = outline(spec)
    drawn = count(parts)
    return {
        "title": spec.title,
        "input": str(spec.input),
        "parts": [_part(part, positions) for part in parts] if drawn <= MOST_DRAWN else [],
        "drawn": drawn,
        "layers": [_layer(node, positions.source) for node in spec.nodes[:MOST_LISTED]],
        "more": max(0, len(spec.nodes) - MOST_LISTED),
    }


def _part(part: Element, positions: Positions) -> Json:
    match part:
        case LayerBox():
            where = _where(part.node, positions)
            return {"kind": "layer", "text": part.text, "weights": part.weights, "shape": str(part.shape), **where}
        case Frame():
            return {
                "kind": "frame",
                "title": part.title,
                "shape": str(part.shape),
                "parts": _parts(part.parts, positions),
            }
        case Branches():
            branches = [_parts(branch, positions) for branch in part.branches]
            where = _where(part.node, positions)
            return {"kind": "fork", "branches": branches, "joint": part.joint, "shape": str(part.shape), **where}


def _parts(parts: Iterable[Element], positions: Positions) -> list[Json]:
    return [_part(part, positions) for part in parts]


def _where(node: Node, positions: Positions) -> Json:
    """Return the name of a layer and, if it is written in the text itself, where."""
    inside = node.span.source is positions.source
    return {"name": node.name, **(_place(node.span, positions) if inside else {})}


def _layer(node: Node, source: Source) -> Json:
    return {
        "name": node.name,
        "text": node.span.text if node.span.source is source else node.layer.word,
        "inputs": list(node.inputs),
        "shape": str(node.output_shape),
        "parameters": sum(array.size for array in node.parameters().values()),
        "flops": node.flops(),
        "line": source.place(node.span.start)[0] if node.span.source is source else None,
    }


def _totals(spec: Spec) -> Json:
    return {
        "layers": sum(len(node.inputs) == 1 for node in spec.nodes),
        "parameters": spec.parameter_count,
        "trainable": spec.trainable_count,
        "flops": sum(node.flops() for node in spec.nodes),
        "memory": spec.memory_bytes(),
        "batch": spec.train.batch,
        "input": str(spec.input),
        "output": str(spec.output_shape),
    }


def _missing(spec: Spec | None) -> str:
    if spec is None:
        return "the network has an error, or there is none yet"
    if spec.input is None:
        return "the shape of a sample is not known: write a line such as input 28x28x1, or name the data"
    return "" if spec.nodes else "the network has an error"
