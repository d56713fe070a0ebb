"""How a training is followed: a bar on a terminal, plain lines elsewhere, JSON where it is asked for."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from nnspec.cli._say import note, result_json, silence, warn
from nnspec.cli._words import counted, metric_in_words

Event = dict[str, Any]
Listener = Callable[[Event], None]

_NO_METRICS = ("event", "step", "epoch", "lr")


@contextmanager
def following(as_json: bool, quiet: bool) -> Iterator[Listener]:
    """A listener for nnspec.runtime.train.loop that shows its events as they come."""
    with ExitStack() as stack:
        listeners: list[Listener] = [_json] if as_json else []
        if not quiet:
            listeners.append(_Bar(stack) if sys.stderr.isatty() else _lines)

        def listen(event: Event) -> None:
            if event["event"] == "warning":  # quiet or not
                warn(event["text"])
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
    into = f", into {event['out']}" if event["out"] is not None else ""
    return f"training {event['network']}: {size}, {begin}{counted(event['total'], 'step')} in all{into}"


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
    elif event["event"] == "note":
        note(event["text"])
    elif event["event"] == "evaluation":
        note(f"step {event['step']:,}, epoch {event['epoch']}: {metrics_in_words(event)}")


class _Bar:
    """A bar over the samples, with samples a second, the time left, a batch's loss and the last evaluation's metrics.

    It is drawn from the start event on, so that an error before it stands alone.
    """

    def __init__(self, held: ExitStack):
        self.held = held
        self.measured = ""

    def __call__(self, event: Event) -> None:
        """Show an event."""
        if event["event"] == "start":
            note(_beginning(event))
            self._begin(event["step"], event["total"], event["batch"])
        elif event["event"] in ("evaluation", "progress"):
            if event["event"] == "evaluation":
                self.measured = _metrics_of(event)
            words = filter(None, [f"loss {event['loss']:.4f}", self.measured])
            self.bar.set_postfix_str(", ".join(words), refresh=False)
            self.bar.update(event["step"] * self.batch - self.bar.n)

    def _begin(self, step: int, total: int, batch: int) -> None:
        from tqdm import tqdm

        self.batch = batch
        self.bar: tqdm[Any] = self.held.enter_context(
            tqdm(
                total=total * batch,
                initial=step * batch,
                unit=" samples",
                unit_scale=True,
                file=sys.stderr,
                bar_format="{percentage:3.0f}% {bar:10} {rate_fmt}, {remaining} left{postfix}",
                **_room(),
            )
        )


def _room() -> dict[str, Any]:
    """How wide the bar may be: as the terminal is, also while that changes; 80 columns where it does not say."""
    try:
        known = min(os.get_terminal_size(sys.stderr.fileno())) > 0
    except OSError:
        known = False
    return {"dynamic_ncols": True} if known else {"ncols": 80, "nrows": 24}


def _metrics_of(event: Event) -> str:
    """The metrics of an evaluation in short, without its losses."""
    chosen = {name.removeprefix("validation_"): event[name] for name in event if not name.endswith("loss")}
    return metrics_in_words(chosen)
