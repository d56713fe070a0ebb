"""How a training is followed: a bar on a terminal, plain lines elsewhere, JSON where it is asked for."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from nnspec.cli._say import note, result_json, silence
from nnspec.cli._words import counted, metric_in_words

Event = dict[str, Any]
Listener = Callable[[Event], None]

_NO_METRICS = ("event", "step", "epoch", "lr")


@contextmanager
def following(as_json: bool, quiet: bool) -> Iterator[Listener]:
    """A listener for runtime.training that shows its events as they come."""
    with ExitStack() as stack:
        listeners: list[Listener] = [_json] if as_json else []
        if not quiet:
            listeners.append(stack.enter_context(_bar()) if sys.stderr.isatty() else _lines)

        def listen(event: Event) -> None:
            for listener in listeners:
                listener(event)

        yield listen


def metrics_in_words(event: Event) -> str:
    """What an evaluation measured: loss 0.1234, validation accuracy 96.80 %."""
    named = {name: value for name, value in event.items() if name not in _NO_METRICS}
    return ", ".join(f"{name.replace('_', ' ')} {metric_in_words(name, value)}" for name, value in named.items())


def _beginning(event: Event) -> str:
    if event["step"] >= event["total"]:
        return f"{event['out']} is trained to its end, {event['total']:,} steps: nothing is left to do"
    begin = f"from step {event['step']:,} on, " if event["step"] else ""
    size = f"{counted(event['parameters'], 'parameter')}, {counted(event['samples'], 'sample')}"
    return f"training {event['network']}: {size}, {begin}{counted(event['total'], 'step')} in all, into {event['out']}"


def _json(event: Event) -> None:
    """Evaluations and the end. Where nobody reads any more the training goes on all the same, into its folder."""
    if event["event"] in ("evaluation", "end"):
        try:
            result_json(**event)
            sys.stdout.flush()
        except BrokenPipeError:
            silence(sys.stdout)


def _lines(event: Event) -> None:
    if event["event"] == "start":
        note(_beginning(event))
    elif event["event"] == "evaluation":
        note(f"step {event['step']:,}, epoch {event['epoch']}: {metrics_in_words(event)}")


@contextmanager
def _bar() -> Iterator[Listener]:
    """A bar over the samples, with the loss of the batch, the last evaluation, samples a second and the time left."""
    from tqdm import tqdm

    bar: tqdm[Any] = tqdm(
        disable=False, unit=" samples", unit_scale=True, dynamic_ncols=True, file=sys.stderr,
        bar_format="{percentage:3.0f}% |{bar:20}| {rate_fmt}, {remaining} left{postfix}",
    )  # fmt: skip
    batch, measured = 1, ""

    def listen(event: Event) -> None:
        nonlocal batch, measured
        if event["event"] == "start":
            tqdm.write(_beginning(event), file=sys.stderr)
            batch = event["batch"]
            bar.reset(event["total"] * batch)
            bar.initial = bar.n = event["step"] * batch
            return
        if event["event"] == "evaluation":
            measured = metrics_in_words({name: value for name, value in event.items() if name != "loss"})
        if event["event"] in ("evaluation", "progress"):
            bar.set_postfix_str(", ".join(filter(None, [f"loss {event['loss']:.4f}", measured])), refresh=False)
            bar.update(event["step"] * batch - bar.n)

    with bar:
        yield listen
