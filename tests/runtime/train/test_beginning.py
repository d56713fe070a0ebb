"""Training that begins with a checkpoint: what is taken, what is said of it, and that it is known by its digest."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec import checkpoints
from nnspec.runtime.errors import CheckpointError, Interrupted
from nnspec.runtime.train.reproducing import reproduce
from nnspec.runtime.train.resuming import resume
from nnspec.runtime.train.run import train
from nnspec.spec_lang.check.spec_request import Request
from tests.support.commands import at_step, write_data
from tests.support.commands import nnspec as command
from tests.support.spec_findings import error_of

DATA = 'data npz "data.npz" split=75/25\n'
FIRST = (
    f"body: (dense 6 relu -> batchnorm) -> dense 5 relu -> dense 3 softmax\n{DATA}train 6 iterations batch=8 seed=1\n"
)
SECOND = (
    f"body: (dense 6 relu -> batchnorm) -> dense 4 relu -> dense 3 softmax\n{DATA}train 6 iterations batch=8 seed=2\n"
)
STILL = "optimizer sgd lr=1e-30\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with data and a finished run, where nothing waits for a disk."""
    write_data(tmp_path)
    (tmp_path / "first.nnspec").write_text(FIRST)
    train(Request(tmp_path / "first.nnspec"), tmp_path / "runs" / "first")
    return tmp_path


def begun(folder: Path, line: str, spec: str = SECOND, out: str | None = None) -> tuple[nnspec.Run, list[str]]:
    """A run that begins so, and what it said."""
    (folder / "second.nnspec").write_text(f"{spec}{line}\n")
    said: list[str] = []
    listen = lambda event: said.append(str(event["text"])) if event["event"] == "note" else None
    out_folder = folder / out if out is not None else None
    return train(Request(folder / "second.nnspec"), out_folder, files=out is not None, listen=listen), said


def test_arrays_of_equal_names_and_shapes_are_taken_and_the_others_drawn_as_ever(folder: Path) -> None:
    former = nnspec.load(folder / "runs" / "first")
    run, said = begun(folder, 'from "runs/first"', SECOND + STILL)
    plain, _ = begun(folder, "", SECOND + STILL)
    ours, drawn = run.network.parameters, plain.network.parameters
    for name in ("body/dense1/weight", "body/dense1/bias", "body/batchnorm1/weight"):
        np.testing.assert_array_equal(ours[name], former.parameters[name])
    for name in ("dense1/weight", "dense2/weight", "dense2/bias"):  # 6x4 and 4x3 here, 6x5 and 5x3 there
        np.testing.assert_allclose(ours[name], drawn[name], atol=1e-20)
    (text,) = (text for text in said if "begins with" in text)
    assert "begins with body/dense1, body/batchnorm1 of" in text and ", 54 numbers; not with dense1: " in text
    assert "dense1: there dense1/weight is 6x5, not 6x4; dense2: there dense2/weight is 5x3, not 4x3" in text


def test_a_compiled_network_has_the_weights_that_its_spec_begins_with(folder: Path) -> None:
    (folder / "second.nnspec").write_text(f'input 4\n{SECOND}from "runs/first"\n')
    network, former = nnspec.compile(folder / "second.nnspec"), nnspec.load(folder / "runs" / "first")
    np.testing.assert_array_equal(network.parameters["body/dense1/weight"], former.parameters["body/dense1/weight"])


def test_running_averages_are_taken_too(folder: Path) -> None:
    former = nnspec.load(folder / "runs" / "first")
    run, _ = begun(folder, 'from "runs/first"\nfreeze body')
    for name, array in former.buffers.items():
        np.testing.assert_array_equal(run.network.buffers[name], array)


def test_only_takes_the_layers_that_it_names_and_all_of_them(folder: Path) -> None:
    run, said = begun(folder, 'from "runs/first" only="body/dense1"', SECOND + STILL)
    former = nnspec.load(folder / "runs" / "first").parameters
    np.testing.assert_array_equal(run.network.parameters["body/dense1/weight"], former["body/dense1/weight"])
    assert not np.array_equal(run.network.parameters["body/batchnorm1/bias"], former["body/batchnorm1/bias"]) or (
        "body/batchnorm1" not in said[-1]
    )
    assert any("begins with body/dense1 of" in text for text in said)
    with pytest.raises(CheckpointError, match="lacks what only= asks for: dense1: there dense1/weight is 6x5, not 6x4"):
        begun(folder, 'from "runs/first" only=body, dense1')


def test_the_option_of_the_command_is_the_line_of_the_spec(folder: Path) -> None:
    begun(folder, 'from "runs/first"', out="runs/line")
    (folder / "second.nnspec").write_text(SECOND)
    done = command(folder, "train", "second.nnspec", "--init-from", "runs/first", "--out", "runs/option")
    assert done.exit_code == 0 and "begins with body/dense1" in done.stderr
    line, option = (checkpoints.read(folder / "runs" / name / "last.h5") for name in ("line", "option"))
    differing = set(checkpoints.differing_entries(line, option))
    assert differing == {"meta", "spec/resolved", "spec/source"}, "the digest of the spec, and its text"
    resolved = [(folder / "runs" / name / "resolved.nnspec").read_text() for name in ("line", "option")]
    texts = [next(row for row in text.splitlines() if row.startswith("from")) for text in resolved]
    assert [text.split("sha256=")[1].strip('"') for text in texts] == [
        hashlib.sha256((folder / "runs" / "first" / "last.h5").read_bytes()).hexdigest()
    ] * 2
    assert all('"../first' in text for text in texts)


def test_a_run_trains_again_from_its_resolved_spec_and_refuses_another_checkpoint(folder: Path) -> None:
    begun(folder, 'from "runs/first"', out="runs/second")
    again = train(Request(folder / "runs" / "second" / "resolved.nnspec"), files=False).network
    np.testing.assert_array_equal(
        again.parameter_arena.flat, nnspec.load(folder / "runs" / "second").parameter_arena.flat
    )
    shutil.copy(folder / "runs" / "second" / "last.h5", folder / "runs" / "first" / "last.h5")
    with pytest.raises(CheckpointError, match="is not the checkpoint that the spec begins with\n  help: restore"):
        train(Request(folder / "runs" / "second" / "resolved.nnspec"), files=False)


@pytest.mark.parametrize("stop", [1, 5])
def test_a_resumed_run_needs_no_checkpoint_to_begin_with_and_changes_no_byte(stop: int, folder: Path) -> None:
    line = 'from "runs/first"\nfreeze body\nrate dense1 0.1'
    begun(folder, line, out="whole")
    with at_step(stop), pytest.raises(Interrupted):
        begun(folder, line, out="parts")
    shutil.rmtree(folder / "runs" / "first")
    resume(folder / "parts")
    whole, parts = (checkpoints.read(folder / run / "last.h5") for run in ("whole", "parts"))
    assert checkpoints.differing_entries(whole, parts) == []


def test_a_run_is_reproduced_without_the_checkpoint_that_it_began_with(folder: Path) -> None:
    begun(folder, 'from "runs/first"', out="runs/second")
    shutil.rmtree(folder / "runs" / "first")
    assert reproduce(folder / "runs" / "second").equal


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('from "runs/none.h5"', "none.h5: there is no such checkpoint"),
        ('from "runs"', "is not a run: it has no last.h5; did you mean"),
        ('from "data.npz"', "not an nnspec checkpoint"),
    ],
)
def test_what_cannot_be_begun_with_is_said(line: str, said: str, folder: Path) -> None:
    with pytest.raises(CheckpointError, match=said):
        begun(folder, line)


def test_a_network_with_nothing_in_common_is_refused(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="has nothing that the network could begin with: head: it is not there"):
        begun(folder, 'from "runs/first"', f"head: dense 3 softmax\n{DATA}train 2 iterations\n")


def test_names_and_digests_of_the_line_are_checked() -> None:
    error = error_of('input 4\ndense 3 softmax\nfrom "a.h5" only=dense7')
    assert (error.code, error.span.text, error.help) == ("E103", "dense7", "did you mean dense1?")
    assert error_of('input 4\ndense 3 softmax\nfrom "a.h5" sha256="12"').code == "E202"


def test_the_events_of_a_run_have_what_was_taken(folder: Path) -> None:
    (folder / "second.nnspec").write_text(f'{SECOND}from "runs/first"\n')
    done = command(folder, "train", "second.nnspec", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0 and events[-1]["event"] == "end"
