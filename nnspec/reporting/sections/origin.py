"""Where a run comes from: the spec in colours, the environment, the data with their digests, the repeating command."""

import shlex
from collections.abc import Iterator

from nnspec.cli.format import format_count
from nnspec.reporting.blocks import Block, Code, Paragraph, Section, Table
from nnspec.reporting.run import ReportedRun
from nnspec.runtime.train.run_folder import RESOLVED
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.editor.colour import colour_spans
from nnspec.spec_lang.report.escapes import escaped_lines
from nnspec.spec_lang.source import Source

_ENVIRONMENT = {
    "nnspec": "nnspec",
    "python": "Python",
    "numpy": "NumPy",
    "cpu_features": "SIMD extensions in use",
    "blas": "BLAS",
    "blas_version": "version of BLAS",
    "blas_kernel": "kernels of BLAS",
    "libm": "libm",
    "machine": "architecture",
    "cpu": "processor",
    "processors": "processors",
    "probe": "digest of a few operations",
}


def spec(run: ReportedRun) -> Section:
    """Return the spec as it was written, what changed it from outside, and the spec with every default filled in."""
    blocks: list[Block] = []
    settings = [f"{key} = {value}" for key, value in run.spec.overrides]
    if run.spec.variant is not None:
        settings.insert(0, f"variant {run.spec.variant}")
    blocks.append(Code(list(coloured(run.saved.source)), "The spec as written"))
    if settings:
        blocks.append(Paragraph(f"From outside: {', '.join(settings)}."))
    blocks.append(Code(list(coloured(canonical_text(run.spec))), "With every default filled in", folded=True))
    for path, text in run.spec.included:
        blocks.append(Code(list(coloured(text)), f"Included: {path}", folded=True))
    return Section("spec", "The spec", blocks)


def coloured(text: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of a spec's text, each with the name of its colour, "" for none."""
    source, at = Source("spec", text), 0
    for span, colour in colour_spans(source):
        if at < span.start:
            yield escaped_lines(source.text[at : span.start]), ""
        yield escaped_lines(span.text), colour.name.lower()
        at = span.end
    if at < len(source.text):
        yield escaped_lines(source.text[at:]), ""


def environment(run: ReportedRun) -> Section:
    """Return what the bits of the result depend on, and the data with their digests."""
    meta, info = run.saved.meta, run.saved.run
    known = {"nnspec": meta.get("program_version"), **meta["environment"]}
    known |= {key: info[key] for key in ("cpu", "processors") if key in info}
    rows = [(text, str(known[key])) for key, text in _ENVIRONMENT.items() if known.get(key) is not None]
    blocks: list[Block] = [
        Table("Environment of the run", ("", "value"), rows),
        Table("Data of the run", ("", "value"), list(_data(run))),
    ]
    return Section("environment", "Environment and data", blocks)


def _data(run: ReportedRun) -> Iterator[tuple[str, str]]:
    spec = run.spec
    yield "statement", spec.data.word if spec.data is not None else "none"
    if run.data is not None:
        yield "name", run.data.name
        counts = ", ".join(f"{name} {len(split):,}" for name, split in run.data.splits())
        yield "samples", counts
    yield "SHA-256 of all samples and targets", str(run.saved.meta["data_digest"])
    for file in spec.data_files:
        yield f"{file.field}, {format_count(file.size, 'byte')}", f"SHA-256 {file.digest}"
    yield "SHA-256 of the spec", str(run.saved.meta["spec_digest"])


def repeat(run: ReportedRun) -> Section:
    """Return the commands that repeat the run."""
    blocks: list[Block] = []
    for title, command in commands(run):
        blocks.append(Code([(command, "")], title))
    return Section("repeat", "To repeat it", blocks)


def commands(run: ReportedRun) -> list[tuple[str, str]]:
    """Return what repeats the run, each with what it does."""
    name = run.name
    if run.spec.data is None or run.spec.data.in_memory:
        call = f"nnspec.reproduce({name!r}, data=(x, y))"
        return [
            ("Train it again and compare every bit, with the arrays of the run, in Python", f"import nnspec\n{call}")
        ]
    folder = run.folder
    began = f" --init-from {shlex.quote(str(folder.initial))}" if folder.initial.exists() else ""
    train = f"nnspec train {shlex.quote(str(folder.path / RESOLVED))}{began} --out runs/again"
    found = [("Train it again and compare every bit", f"nnspec reproduce {shlex.quote(name)}")]
    return [*found, ("Train a new run of the same spec", train)] if (folder.path / RESOLVED).exists() else found
