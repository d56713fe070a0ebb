"""The trials of a spec without a search: every variant, every place of its grid, every seed."""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from nnspec.runtime.errors import TrainingError
from nnspec.runtime.infer.network_file import text_digest
from nnspec.runtime.sweep.trial import Outcome, Trial, group_name
from nnspec.spec_lang.check.canonical_text import short_text
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.report.errors import SpecError

MOST_TRIALS = 10_000
"""The most trials of a sweep. A grid of more is a mistake, or a search."""


Check = Callable[[Request], Spec]
"""Checks a request, with the shape of a sample where the data are known."""


def grid_trials(request: Request, seeds: Sequence[int], check: Check = Request.check) -> list[tuple[Trial, Outcome]]:
    """Return the trials of a spec, in the order of the file, with the outcome of those whose spec has an error.

    The spec itself is a trial if it has no variants, or the request names one. A key that the request sets is not
    swept. Without seeds each trial has the seed of its spec. Raises SpecError for errors of the spec without settings
    of the grid, TrainingError where there are more than MOST_TRIALS.
    """
    found: dict[str, tuple[Trial, Outcome]] = {}
    for variant in variants_of(request):
        chosen = replace(request, variant=variant)
        spec = chosen.check()
        for settings in places(spec, request):
            for trial, outcome in _at(chosen, spec, settings, seeds, check):
                found.setdefault(trial.name, (trial, outcome))
            if len(found) > MOST_TRIALS:
                text = f"the grid has more than {MOST_TRIALS:,} trials: use fewer values, or --trials N for a search"
                raise TrainingError(text, exit_code=2)
    return list(found.values())


def variants_of(request: Request) -> list[str | None]:
    """Return the variants to train: the one of the request, else all of the spec, else the spec itself."""
    if request.variant is not None:
        return [request.variant]
    return list(request.check().variants) or [None]


def places(spec: Spec, request: Request) -> Iterator[dict[str, str]]:
    """Yield the settings of every place of a spec's grid, the last key changing fastest."""
    swept = {key: values for key, values in spec.sweeps if key not in request.settings}
    for values in itertools.product(*swept.values()):
        yield dict(zip(swept, values, strict=True))


def of_seed(spec: Spec, seed: int | None) -> Spec:
    """Return a spec with another seed, the same one for None."""
    return spec if seed is None else replace(spec, train=spec.train.model_copy(update={"seed": seed}))


def digest(spec: Spec) -> str:
    """Return the digest of what a trial depends on in its spec.

    Comments and the way a spec is written do not count, unless the shape of a sample is not known: then the layers are
    not known either, and its text counts.
    """
    texts = [] if spec.nodes else [spec.source.text, *(text for _, text in spec.included)]
    return text_digest(json.dumps([short_text(spec), *texts]))


def _at(
    request: Request, spec: Spec, settings: dict[str, str], seeds: Sequence[int], check: Check
) -> Iterator[tuple[Trial, Outcome]]:
    """Yield the trials of one place of the grid of a variant, whose own spec is `spec`."""
    group, failure = group_name(spec.name, request.variant, settings), Outcome()
    try:
        here = check(replace(request, settings={**request.settings, **settings}))
    except SpecError as error:
        if not settings:
            raise
        here, failure = spec, Outcome("failed", error=str(error))
    for seed in seeds or (None,):
        known = of_seed(here, seed)
        key = "" if failure.state == "failed" else digest(known)
        yield Trial(group, request.variant, settings, known.train.seed, key), failure
