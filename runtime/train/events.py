"""The events that a run reports to its caller: start, progress, evaluation, note, warning, and the last one.

The last one is end, diverged where NaN or infinity appeared, or interrupted where a signal stopped the run.

The command, the notebook and the Python interface listen to them. This module does not know who listens.
"""

from collections.abc import Callable
from typing import Any

from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.network_file import text_digest
from nnspec.runtime.train.run_folder import RunFolder
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.spec import Spec

Event = dict[str, Any]
"""A JSON object; its key "event" is the kind."""

Listener = Callable[[Event], None]

Watcher = Callable[[Network], None]
"""Sees the network while it trains. It must not change it."""


def silent(event: Event) -> None:
    """Ignore an event: the listener of a caller that wants none."""


def unwatched(network: Network) -> None:
    """Look away: the watcher of a caller that wants none."""


def start_event(spec: Spec, samples: int, folder: RunFolder | None, step: int, total: int) -> Event:
    """Return the event that a run reports before its first step, or when it resumes after `step` of `total` steps.

    `samples` is the number of training samples.
    """
    return {
        "event": "start",
        "out": str(folder.path) if folder else None,
        "network": spec.title,
        "parameters": spec.parameter_count,
        "samples": samples,
        "batch": spec.train.samples_a_step,
        "step": step,
        "total": total,
        "spec_digest": text_digest(canonical_text(spec)),
    }
