"""The metrics that a run measures: those of the metrics statement, with its options, else those for the loss."""

from collections.abc import Callable, Iterable, Iterator

from nnspec.spec_lang.check.fit import metrics_for
from nnspec.spec_lang.report.diagnostics import Diagnostic, one_of
from nnspec.spec_lang.source import Span
from nnspec.spec_lang.vocabulary.losses import Loss
from nnspec.spec_lang.vocabulary.metrics import Metric
from nnspec.spec_lang.vocabulary.registry import words
from nnspec.spec_lang.vocabulary.statements import Metrics


def chosen_metrics(given: Metrics, loss: Loss, expected: Iterable[type[Metric]]) -> tuple[Metric, ...]:
    """Return the metrics of a metrics statement, those for the loss where it names none, and the expected ones."""
    named = [cls for name in given.names if issubclass(cls := words("metric")[name], Metric)]
    chosen = named or [type(metric) for metric in metrics_for(loss)]
    return tuple(_with_options(cls, given) for cls in dict.fromkeys([*chosen, *expected]))


def _with_options(cls: type[Metric], given: Metrics) -> Metric:
    options = {name: getattr(given, name) for name in cls.fields()}
    return cls(**{name: value for name, value in options.items() if value is not None})


def unused_options(
    given: Metrics, chosen: Iterable[Metric], place: Callable[[str], Span | None]
) -> Iterator[Diagnostic]:
    """Yield an error for each option of a metrics statement that no metric has. `place` finds an option's value."""
    metrics = {word: cls for word, cls in words("metric").items() if issubclass(cls, Metric)}
    for name in dict.fromkeys(name for cls in metrics.values() for name in cls.fields()):
        span = place(f"metrics.{name}")
        if getattr(given, name) is None or span is None or any(name in type(metric).fields() for metric in chosen):
            continue
        having = one_of(word for word, cls in metrics.items() if name in cls.fields())
        message = f"{name} is an option of {having}, and none is measured"
        yield Diagnostic("E102", message, span, help=f"leave it out, or write metrics {having}")
