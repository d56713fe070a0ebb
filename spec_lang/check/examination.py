"""Source → a checked spec: settings bound and completed, the network expanded, checks across both."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nnspec.spec_lang.check.collect import Statements, choose_variant, collect
from nnspec.spec_lang.check.expansion import Budget, Passage
from nnspec.spec_lang.check.include import Reading, with_includes
from nnspec.spec_lang.check.one_spec import Examination, Outside
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.garbage import nothing_collected
from nnspec.spec_lang.report.diagnostics import Diagnostic, Findings, TooManyFindings, Trace
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.vocabulary.given_arrays import GivenArrays

if TYPE_CHECKING:
    from nnspec.spec_lang.check.overrides import Override
    from nnspec.spec_lang.check.sweeps import Swept

EFFORT = 60_000
"""The budget for checking the variants and sweeps of a spec, in stages and statements; about one second. Variants and
values beyond it are checked by the run that uses them."""

LEAST = 60
"""The part of EFFORT that one check takes at least, however small the spec."""


def check_source(
    source: Source,
    overrides: "Sequence[Override]" = (),
    variant: str | None = None,
    input_shape: Sequence[int] | None = None,
    classes: int | None = None,
    in_memory: bool = False,
    outputs: int | None = None,
) -> Spec:
    """Check a source and return its spec.

    Arguments:
        source: the text.
        overrides: settings from outside (`--set`, `--data`, `--seed`).
        variant: the name of a variant to apply; the other variants and the values of sweeps are checked too.
        input_shape: the shape of a sample, if it is known from the data.
        classes: the number of classes, if it is known from the data.
        in_memory: whether a program gives the samples: the options of the data statement then say how they are split
            and scaled, and what it names is not read.
        outputs: the number of outputs that the data's targets need, if it is known from the data.

    Raises:
        SpecError: with all errors of the spec.
    """
    examined = examine_source(source, overrides, variant, input_shape, classes, in_memory, outputs)
    if examined.spec is None:
        raise SpecError(examined.found)
    return examined.spec


@dataclass(frozen=True)
class Examined:
    """The result of a check. `spec` is None if there is an error; `found` are the findings in order of place.

    `known` are the statements without syntax errors, and `passages` the expansions of stages with their shapes.
    `tentative` is the spec also where other statements than the network have errors: it has their defaults.
    """

    source: Source
    spec: Spec | None
    found: list[Diagnostic]
    known: Statements
    passages: list[Passage]
    tentative: Spec | None = None


def examine_source(
    source: Source,
    overrides: "Sequence[Override]" = (),
    variant: str | None = None,
    input_shape: Sequence[int] | None = None,
    classes: int | None = None,
    in_memory: bool = False,
    outputs: int | None = None,
) -> Examined:
    """Check a source and return all results, with or without errors; the arguments are those of `check_source`."""
    with nothing_collected():
        return examine_reading(with_includes(source), overrides, variant, input_shape, classes, in_memory, outputs)


def examine_reading(
    reading: Reading,
    overrides: "Sequence[Override]" = (),
    variant: str | None = None,
    input_shape: Sequence[int] | None = None,
    classes: int | None = None,
    in_memory: bool = False,
    outputs: int | None = None,
) -> Examined:
    """Check a spec whose texts are parsed; the arguments are those of `check_source`."""
    source, found, known = reading.source, Findings(reading.found), Statements()
    passages: list[Passage] = []
    spec = tentative = None
    with suppress(TooManyFindings), nothing_collected():
        if not reading.whole:
            raise TooManyFindings
        for text in reading.texts:  # included texts first, since later statements replace theirs
            collect(text, known, found)
        chosen = known.copy()
        if variant is not None:
            choose_variant(variant, chosen, found)
        if in_memory or overrides:
            _from_outside(overrides, in_memory, chosen, source, found)
        outside = Outside(source, input_shape, classes, in_memory, outputs)
        examination = Examination(chosen, outside, found, Budget(), passages)
        tentative = examination.spec(variant)
        _others(known, chosen, examination.sweeps, variant, outside, found)
    if tentative is not None and all(diagnostic.severity != "error" for diagnostic in found):
        warnings = tuple(in_order(found, source))
        spec = replace(tentative, included=tuple(sorted(reading.included.items())), warnings=warnings)
    return Examined(source, spec, in_order(found, source), known, passages, tentative)


def _from_outside(
    overrides: "Sequence[Override]", in_memory: bool, chosen: Statements, source: Source, found: Findings
) -> None:
    """Apply what is set from outside the spec, which is not swept then."""
    from nnspec.spec_lang.check.overrides import apply_overrides, require_data

    if in_memory:
        require_data(GivenArrays.word, chosen, source)
    apply_overrides(overrides, chosen, found)
    for override in overrides:
        chosen.sweeps.pop(override.key, None)


def collected(reading: Reading) -> Statements:
    """Return the statements without syntax errors, without a check."""
    known = Statements()
    with suppress(TooManyFindings):
        for text in reading.texts if reading.whole else ():
            collect(text, known, Findings())
    return known


def in_order(found: Iterable[Diagnostic], source: Source) -> list[Diagnostic]:
    """Sort diagnostics by place: those of an included file at its include, those of settings from outside last."""

    def place(diagnostic: Diagnostic) -> tuple[bool, tuple[int, ...], str]:
        span = diagnostic.span
        offsets = [span.start]
        while span.source.included is not None:
            span = span.source.included
            offsets.append(span.start)
        return span.source is not source, tuple(reversed(offsets)), diagnostic.code

    return sorted(found, key=place)


def shape_missing(spec: Spec) -> Diagnostic:
    """Return the error for building a network when the shape of a sample is not known."""
    help = "write a line such as input 28x28x1, or name the data"
    return Diagnostic("E302", "the shape of a sample is not known", Span(spec.source, 0, 1), help=help)


def _others(
    known: Statements,
    chosen: Statements,
    sweeps: "Sequence[Swept]",
    variant: str | None,
    outside: Outside,
    found: Findings,
) -> None:
    """Check the variants that were not chosen, and the spec with each value of each sweep."""
    budget = Budget(EFFORT, reports=False)
    for name, other in known.variants.items():
        if budget.spent():
            return
        if name != variant and (other.statements or other.parent is not None):
            changed, inside = known.copy(), Findings()
            choose_variant(name, changed, inside)
            _other(changed, name, outside, budget, inside)
            found.add_within(other.span, inside, Trace(f"variant {name}", other.span))
    if not sweeps:
        return
    from nnspec.spec_lang.check.overrides import Override, apply_overrides

    for swept in sweeps:
        sweep = swept.sweep
        for value in swept.values:
            if budget.spent():
                return
            changed, inside = chosen.copy(), Findings()
            apply_overrides([Override(sweep.key, value.written(), "sweep", sweep.key_span, value)], changed, inside)
            _other(changed, variant, outside, budget, inside)
            found.add_within(sweep.span, inside, Trace(f"sweep {sweep.key} = {value.written()}", value.span))


def _other(known: Statements, variant: str | None, outside: Outside, budget: Budget, found: Findings) -> None:
    budget.stages -= LEAST + known.weight()
    known.sweeps = {}  # they are already reported, and a single run has none
    Examination(known, outside, found, budget).spec(variant)
