"""Progress of a training run: a bar on a terminal, plain lines elsewhere, JSON lines on request."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from nnspec.cli.format import format_count, format_metric
from nnspec.cli.output import lost_progress, print_json, print_note, print_warning

if TYPE_CHECKING:
    from nnspec.runtime.train.events import Event, Listener

_NO_METRICS = ("event", "step", "epoch", "lr")


@contextmanager
def progress_listener(as_json: bool, quiet: bool, tensorboard: bool = False) -> "Iterator[Listener]":
    """Provide a listener for a training run that shows its events as they arrive, and writes them for TensorBoard."""
    with ExitStack() as stack:
        listeners: list[Listener] = [_json] if as_json else []
        if tensorboard:
            from nnspec.tensorboard import TensorBoard

            board = TensorBoard()
            stack.callback(board.close)
            listeners.append(board)
        if not quiet:
            listeners.append(_Bar(stack) if sys.stderr.isatty() else _lines)

        def listen(event: "Event") -> None:
            if event["event"] == "warning":  # shown even if quiet
                print_warning(event["text"])
            for listener in listeners:
                listener(event)

        yield listen


def format_metrics(event: "Event") -> str:
    """Return the metrics of an event as text: loss 0.1234, validation accuracy 96.80 %."""
    named = {name: value for name, value in event.items() if name not in _NO_METRICS}
    return ", ".join(f"{name.replace('_', ' ')} {format_metric(name, value)}" for name, value in named.items())


def _beginning(event: "Event") -> str:
    if event["step"] >= event["total"]:
        return f"{event['out']} is complete after {event['total']:,} steps: nothing is left to train"
    begin = f"from step {event['step']:,} on, " if event["step"] else ""
    size = f"{format_count(event['parameters'], 'parameter')}, {format_count(event['samples'], 'sample')}"
    into = f", into {event['out']}" if event["out"] is not None else ""
    return f"training {event['network']}: {size}, {begin}{format_count(event['total'], 'step')} in all{into}"


def _json(event: "Event") -> None:
    """Print evaluations and the last event, each at once. The end reports what standard error has lost."""
    if event["event"] in ("evaluation", "end", "diverged", "interrupted", "folds"):
        lost = lost_progress() if event["event"] == "end" else None
        print_json(**event, **({"lost_progress": lost} if lost is not None else {}))
        sys.stdout.flush()


def _lines(event: "Event") -> None:
    if event["event"] == "start":
        print_note(_beginning(event))
    elif event["event"] == "note":
        print_note(event["text"])
    elif event["event"] == "evaluation":
        print_note(f"step {event['step']:,}, epoch {event['epoch']}: {format_metrics(event)}")


class _Bar:
    """A bar over the samples, with samples per second, the time left, a batch's loss and the last evaluation's metrics.

    It is drawn from the start event on, so that an error before training is printed without a bar.
    """

    def __init__(self, held: ExitStack):
        self.held = held
        self.measured = ""

    def __call__(self, event: "Event") -> None:
        """Show an event."""
        if event["event"] == "start":
            print_note(_beginning(event))
            self._begin(event["step"], event["total"], event["batch"])
        elif event["event"] == "note":
            print_note(event["text"])
        elif event["event"] in ("evaluation", "progress"):
            if event["event"] == "evaluation":
                self.measured = _metrics_of(event)
            words = filter(None, [f"loss {event['loss']:.4f}", self.measured])
            self.bar.set_postfix_str(", ".join(words), refresh=False)
            self.bar.update(event["step"] * self.batch - self.bar.n)

    def _begin(self, step: int, total: int, batch: int) -> None:
        from tqdm import tqdm

        class Bar(tqdm):  # type: ignore[type-arg]
            monitor_interval = 0  # no thread of tqdm's: a run beside another thread has no worker process

        self.batch = batch
        self.bar = self.held.enter_context(
            Bar(
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
    """Return tqdm's width: that of the terminal, also when it is resized; 80 columns if the terminal reports none."""
    try:
        known = min(os.get_terminal_size(sys.stderr.fileno())) > 0
    except OSError:
        known = False
    return {"dynamic_ncols": True} if known else {"ncols": 80, "nrows": 24}


def _metrics_of(event: "Event") -> str:
    """Return the metrics of an evaluation without its losses."""
    chosen = {name.removeprefix("validation_"): event[name] for name in event if not name.endswith("loss")}
    return format_metrics(chosen)
