"""nnspec inspect: show the content of a checkpoint."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_metric, format_shape, format_table
from nnspec.cli.options import json_flag
from nnspec.cli.output import print_json, print_result


@click.command(
    cls=Verb,
    section=Section.CHECKPOINTS,
    short_help="Show the content of a checkpoint.",
    examples=("nnspec inspect runs/quickstart", "nnspec inspect runs/quickstart/best.h5 --json"),
)
@click.argument("checkpoint", metavar="CHECKPOINT")
@json_flag
def command(checkpoint: str, as_json: bool) -> None:
    """Show the content of a checkpoint: the spec, the progress of the run, every array with its digest.

    The file is verified first. The spec is shown as stored, without compiling it.
    """
    from nnspec.cli.checkpoint import find_checkpoint
    from nnspec.runtime.errors import CheckpointError

    file = find_checkpoint(checkpoint)
    try:
        content = _content(file)
        shown = "" if as_json else _format_content(content)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        problem = f"it is intact, but not a run written by nnspec train ({type(error).__name__}: {error})"
        raise CheckpointError(f"{file}: {problem}") from None
    if as_json:
        print_json(**content)
    else:
        print_result(shown)


def _content(file: Path) -> dict[str, Any]:
    """Return everything that is shown, as plain values."""
    from nnspec import checkpoints
    from nnspec.checkpoints.content import entry_table, to_stored
    from nnspec.runtime.infer.network_file import holds_a_run, translate_errors

    with translate_errors():
        summary, checkpoint = checkpoints.verify(file), checkpoints.read(file)
    meta, entries = checkpoint.meta, checkpoint.entries
    texts = {name: value for name, value in entries.items() if isinstance(value, str)}
    arrays = entry_table({name: to_stored(name, value) for name, value in entries.items() if name not in texts})
    series: dict[str, Any] = {n.removeprefix("history/"): entries[n] for n in arrays if n.startswith("history/")}
    return {
        "checkpoint": str(file),
        "bytes": summary.size,
        "checkpoint_format": summary.format_version,
        "holds": "run" if holds_a_run(checkpoint) else "network",
        **meta,
        "history": {
            name: {"step": int(points[0, -1]), "value": float(points[1, -1])} for name, points in series.items()
        },
        "preprocessing": _preprocessing(entries),
        "run": json.loads(texts.get("run/info", "{}")),
        "variant": texts.get("spec/variant"),
        "overrides": json.loads(texts.get("spec/overrides", "[]")),
        "spec": texts.get("spec/source", ""),
        "resolved": texts.get("spec/resolved", ""),
        "arrays": [{"name": name, **entry} for name, entry in sorted(arrays.items())],
    }


def _preprocessing(entries: Any) -> dict[str, Any]:
    """Return the preprocessing without the numbers of each channel."""
    names = ("normalize", "task", "input_shape", "classes", "features")
    found = {name: entries[f"preprocessing/{name}"] for name in names if f"preprocessing/{name}" in entries}
    for name, value in found.items():
        if name in ("classes", "features"):
            found[name] = json.loads(value)
        elif not isinstance(value, str):
            found[name] = value.tolist()
    return found


def _format_content(content: dict[str, Any]) -> str:
    prepared = content["preprocessing"]
    classes = f", {len(prepared['classes'])} classes" if "classes" in prepared else ""
    rows = [
        (
            "written by",
            f"nnspec {content['program_version']}, format {content['checkpoint_format']}, {content['bytes']:,} bytes",
        ),
        *_format_origin(content["variant"], content["overrides"]),
        *(_format_progress(content["counters"], content["best"]) if content["holds"] == "run" else ()),
        *_format_baseline(content["run"].get("baseline")),
        ("samples", f"{format_shape(prepared['input_shape'])}, {prepared['normalize']}, {prepared['task']}{classes}"),
        ("type", content["dtype"]),
        ("spec digest", content["spec_digest"]),
    ]
    if content["holds"] == "run":
        environment = ", ".join(f"{key} {value}" for key, value in content["environment"].items())
        rows += [("data digest", content["data_digest"]), ("environment", environment)]
    last = [(name, format_metric(name, at["value"]), f"step {at['step']:,}") for name, at in content["history"].items()]
    arrays = [(a["name"], format_shape(a["shape"]), a["dtype"], a["sha256"][:16]) for a in content["arrays"]]
    parts = [content["checkpoint"], format_table(rows), "", content["resolved"].strip(), ""]
    if last:
        parts += ["last measured", format_table(last, right=(1,)), ""]
    parts += ["arrays", format_table([("name", "shape", "type", "SHA-256"), *arrays])]
    return "\n".join(parts)


def _format_origin(variant: str | None, overrides: list[list[str]]) -> Iterator[tuple[str, str]]:
    """Yield the rows of what was asked for besides the spec: its variant, and the settings from outside."""
    if variant is not None:
        yield "variant", variant
    if overrides:
        yield "changed by", ", ".join(f"{key}={value}" for key, value in overrides)


def _format_baseline(baseline: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Yield the row of what the baseline reaches, where the checkpoint has one."""
    if baseline is not None:
        reached = {name: value for name, value in baseline.items() if name not in ("name", "split")}
        metrics = ", ".join(f"{name} {format_metric(name, float(value))}" for name, value in reached.items())
        yield "baseline", f"{baseline['name']}, on {baseline['split']}: {metrics}"


def _format_progress(counters: dict[str, Any], best: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Yield the rows of a run: where it is, and its best evaluation."""
    yield "progress", f"step {counters['step']:,}, epoch {counters['epoch']:,}, {counters['samples']:,} samples seen"
    yield "best", f"{float(best['value']):.4g} at step {best['step']:,}" if best else "nothing measured yet"
