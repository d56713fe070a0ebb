"""Exact resumption: a run that was stopped and resumed ends in the bytes of one that never stopped."""

import itertools
import shutil
import signal
from pathlib import Path

from tests.support.commands import (
    LENGTH,
    at_step,
    differing,
    lasting,
    networks,
    nnspec,
    no_fsync,
    statements,
    write_data,
    write_spec,
)
from tools.soak.experiments import Tally, experiment, tries

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def stopped_at_every_batch(folder: Path, number: signal.Signals, tally: Tally, label: str) -> None:
    """Compare a run of folder/net.nnspec that is stopped after each batch and resumed with one that is not."""
    done = nnspec(folder, "train", "net.nnspec", "--out", "whole", "--quiet")
    assert done.exit_code == 0, done.stderr
    whole = lasting(folder / "whole")
    with at_step(1, number):
        done = nnspec(folder, "train", "net.nnspec", "--out", "run", "--quiet")
    stops = [done.exit_code]
    while done.exit_code == CODES[number] and len(stops) < 50:
        with at_step(1, number):
            done = nnspec(folder, "resume", "run", "--quiet")
        stops.append(done.exit_code)
    found = differing(whole, lasting(folder / "run"))
    for code in stops[:-1]:
        tally.count(code == CODES[number] and not found, f"{label}: {found}")
    tally.count(stops[-1] == 0 and not found, f"{label}: ended {stops[-1]}, {found}")
    for run in ("whole", "run"):
        shutil.rmtree(folder / run)


@experiment(
    "a run of single samples in blocks of 64 steps, stopped between any two blocks, ends in the same bytes",
    soak=1,
)
def blocks(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """Plain SGD on a wide first layer, where evaluations and saves cut the blocks short."""
    tally = Tally()
    write_data(folder, samples=100, features=700)
    length = "train 150 iterations batch=1 evaluate_every=40 checkpoint_every=25 seed=5"
    with no_fsync():
        for number in tries(count, seconds):
            write_spec(folder, "dense 16 relu -> dense 3 softmax", "optimizer sgd lr=0.01", "schedule cosine", length)
            kind = (signal.SIGINT, signal.SIGTERM)[(number + seed) % 2]
            stopped_at_every_batch(folder, kind, tally, "sgd, blocks of steps")
    return tally


SEQUENCES = {
    "rnn, carried": "rnn 4 return=sequence -> dense 1",
    "lstm, carried": "lstm 3 return=sequence -> dropout 0.3 -> dense 1",
    "gru, carried": "gru 3 return=sequence -> layernorm -> dense 1",
    "two layers, carried": "rnn 3 return=sequence -> gru 2 return=sequence -> dense 1",
    "padded lines": "embed 3 -> lstm 4 return=sequence -> dense 4 softmax",
    "both ways, padded lines": "onehot -> gru 3 bidirectional=yes return=sequence -> dense 4 softmax",
}
"""Networks over time: on a series whose state goes from batch to batch, or on lines of different length."""


@experiment(
    "a run over time (states carried from batch to batch, or lines of different length), stopped after every batch and "
    "resumed each time, ends in the same bytes; every optimizer x network",
    soak=10_000,
)
def sequences(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of combinations, all of them at most."""
    tally = Tally()
    (folder / "lines.txt").write_text("abca\nb\ncab\nbbacab\nacb\nca\nabab\nc\nbca\n" * 3)
    every = list(itertools.product(SEQUENCES.items(), statements("optimizer")))
    with no_fsync():
        for number in tries(min(count, len(every)), seconds):
            (name, network), optimizer = every[(number * 7 + seed) % len(every)]
            carried = "carried" in name
            data = "sine length=150 window=5 predict=every" if carried else 'text "lines.txt" by=line split=75/25'
            length = "train 10 iterations batch=4 evaluate_every=2 checkpoint_every=3 seed=5 clip_norm=1"
            length += " stateful=yes" * carried
            lines = (network, f"data {data}", optimizer, "schedule cosine", length)
            (folder / "net.nnspec").write_text("\n".join(lines) + "\n")
            kind = (signal.SIGINT, signal.SIGTERM)[number % 2]
            stopped_at_every_batch(folder, kind, tally, f"{optimizer}, {name}")
    return tally


@experiment(
    "a run stopped by SIGINT or SIGTERM after every batch of two epochs and resumed each time ends in the same bytes; "
    "every optimizer x schedule x network",
    soak=10_000,
)
def every_batch(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """Each combination is ten tries, nine stops and the end; `count` is of combinations, all of them at most."""
    tally = Tally()
    write_data(folder)
    every = list(itertools.product(statements("schedule"), networks().items(), statements("optimizer")))
    chosen = every[seed % 7 :] + every[: seed % 7]
    spread = chosen[:: max(1, len(chosen) // count)] if count < len(chosen) else chosen
    with no_fsync():
        for number in tries(len(spread), seconds):
            schedule, (name, network), optimizer = spread[number]
            write_spec(folder, network, optimizer, schedule, LENGTH)
            kind = (signal.SIGINT, signal.SIGTERM)[number % 2]
            stopped_at_every_batch(folder, kind, tally, f"{optimizer}, {schedule}, {name}")
    return tally
