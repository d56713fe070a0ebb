"""nnspec diff: compare the meaning of two specs or checkpoints."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_weights
from nnspec.cli.options import json_flag, spec_options
from nnspec.cli.output import FOUND, print_json, print_result

if TYPE_CHECKING:
    from nnspec.runtime.infer.weight_distance import WeightDistance
    from nnspec.runtime.train.checkpointing import Saved
    from nnspec.spec_lang.check.difference import Difference
    from nnspec.spec_lang.check.spec import Spec


@click.command(
    cls=Verb,
    section=Section.SPECS,
    examples=(
        "nnspec diff old.nnspec new.nnspec",
        "nnspec diff specs/notes.nnspec --variant paper_adam",
        "nnspec diff runs/a runs/b",
        "nnspec diff runs/a/best.h5 runs/a/last.h5 --json",
    ),
)
@click.argument("first", metavar="A")
@click.argument("second", metavar="[B]", required=False)
@spec_options
@json_flag
def command(
    first: str, second: str | None, settings: dict[str, str], variant: str | None, data: str | None, as_json: bool
) -> None:
    """Compare the meaning of two specs or checkpoints.

    Settings, layers, connections, shapes and parameters are compared, not the text; for two checkpoints or runs also
    the distance between the weights of each layer. --set, --variant and --data change both specs; without B, the
    comparison shows what they change in A. The exit code is 1 if the two differ.
    """
    from nnspec.cli.checkpoint import is_checkpoint
    from nnspec.spec_lang.check.difference import differences_text, spec_differences

    changed = bool(settings or variant or data)
    if second is None and not changed:
        raise click.UsageError("give A and B, or A and a change: --set, --variant, --data")
    if changed and all(is_checkpoint(given) for given in (first, second) if given is not None):
        raise click.UsageError("--set, --variant and --data change specs; the spec of a checkpoint cannot be changed")
    before, old = _read(first, {}, None, None) if second is None else _read(first, settings, variant, data)
    after, new = _read(first if second is None else second, settings, variant, data)
    found = spec_differences(before, after)
    weights = None
    if old is not None and new is not None:
        found = (*found, *_progress(old, new))
        weights = _weight_distances(old, new)
    elif old is None and new is None:
        found = (*found, *_grids(before, after))
    moved = [distance for distance in weights or () if distance.differs]
    if as_json:
        print_json(
            equal=not (found or moved),
            differences=[difference.as_json() for difference in found],
            weights=None if weights is None else [asdict(distance) for distance in weights],
        )
    else:
        parts = [differences_text(found)] if found else []
        parts += [format_weights(weights)] if moved and weights else []
        print_result("\n".join(parts) or "no difference")
    raise click.exceptions.Exit(FOUND if found or moved else 0)


def _read(given: str, settings: dict[str, str], variant: str | None, data: str | None) -> "tuple[Spec, Saved | None]":
    """Return the checked spec of a file or a text, or a checkpoint's spec and its content."""
    from nnspec.cli.checkpoint import is_checkpoint, open_checkpoint
    from nnspec.spec_lang.check.spec_request import Request

    if not is_checkpoint(given):
        return Request(given, settings, variant, data).check(), None
    _, saved = open_checkpoint(given)
    return saved.network.spec, saved


def _grids(before: "Spec", after: "Spec") -> "list[Difference]":
    """Return the differences between the sweeps of two specs."""
    from nnspec.spec_lang.check.difference import Difference

    first, second = (_swept(spec) for spec in (before, after))
    keys = [key for key in {**first, **second} if first.get(key) != second.get(key)]
    return [Difference("setting", f"sweep {key}", first.get(key), second.get(key)) for key in keys]


def _progress(old: "Saved", new: "Saved") -> "list[Difference]":
    """Return the differences between the steps and the data of two runs."""
    from nnspec.runtime.train.checkpointing import SavedRun
    from nnspec.spec_lang.check.difference import Difference

    if not isinstance(old, SavedRun) or not isinstance(new, SavedRun):  # a network without a run
        return []
    rows = [("step", f"{old.state.step:,}", f"{new.state.step:,}")]
    rows.append(("data digest", *(saved.meta["data_digest"][:16] for saved in (old, new))))
    return [Difference("run", name, before, after) for name, before, after in rows if before != after]


def _weight_distances(old: "Saved", new: "Saved") -> "list[WeightDistance]":
    from nnspec.runtime.infer.weight_distance import weight_distances
    from nnspec.spec_lang.check.difference import counterparts

    pairs = counterparts(old.network.spec, new.network.spec)
    return list(weight_distances(old.network, new.network, pairs))


def _swept(spec: "Spec") -> dict[str, str]:
    """Return the values of each sweep in words, by its key."""
    return {key: ", ".join(values) for key, values in spec.sweeps} | {r.key: str(r) for r in spec.ranges}
