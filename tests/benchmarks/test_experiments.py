"""The page of the experiments, from results made up here, and what is kept between two calls of its command."""

import json
import re
from pathlib import Path

import pytest

import nnspec
from benchmarks.experiments import __main__ as command
from benchmarks.experiments import mnist, shipped
from benchmarks.experiments.mnist import GOALS, REPORTED, Result, accuracy
from benchmarks.experiments.page import page
from benchmarks.experiments.shipped import SEEDS, SPECS, Experiment, digest

MLP = Experiment("mnist_mlp")
NOMINAL = Experiment("mnist_cnn", "notes_nominal")


def reached(share: float, seconds: float = 5.0, key: str = "") -> Result:
    return Result(key, share, share, None, seconds, "a machine")


def diverged(step: int, key: str = "") -> Result:
    return Result(key, None, None, step, None, "a machine")


def row(text: str, name: str) -> list[str]:
    """The cells of the row of a table that begins with a name, or with a link of that name."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return next(cells for cells in rows if cells[0] == name or cells[0].startswith(f"[{name}]"))


def test_the_median_stands_before_the_lowest_and_the_highest() -> None:
    assert accuracy([reached(0.9667), reached(0.9701), reached(0.968)]) == "96.80 (96.67 to 97.01)"


def test_a_run_that_diverges_is_told_with_its_step() -> None:
    assert accuracy([diverged(20), diverged(7), diverged(9)]) == "diverges at step 7 to 20"
    assert accuracy([diverged(7)] * 3) == "diverges at step 7"
    mixed = accuracy([reached(0.5), diverged(7), reached(0.7)])
    assert mixed == "60.00 (50.00 to 70.00); 1 of 3 runs diverge at step 7"


def test_runs_that_are_missing_are_told() -> None:
    assert accuracy([]) == "not run"
    assert accuracy([reached(0.5)]) == "50.00 (50.00 to 50.00); 1 of 3 runs made"


@pytest.mark.slow
def test_the_page_has_a_goal_beside_what_a_tuned_spec_reaches() -> None:
    text = page({(MLP, seed): reached(0.97 + seed / 1000) for seed in SEEDS})
    assert row(text, "mnist_mlp.nnspec")[1:] == [
        "407,050", "50,000 iterations, batch 1", f"≥ {GOALS['mnist_mlp']:.1f}", "97.20 (97.10 to 97.30)",
    ]  # fmt: skip
    assert row(text, "mnist_best.nnspec")[4] == "not run"
    assert row(text, "mnist_mlp") == ["mnist_mlp", "5.0", "a machine"]


def test_the_page_has_every_variant_beside_what_the_notes_reported() -> None:
    text = page({(NOMINAL, seed): diverged(seed) for seed in SEEDS})
    for spec in GOALS:
        variants = re.findall(r"^variant (\w+)", (SPECS / f"{spec}.nnspec").read_text(encoding="utf-8"), re.MULTILINE)
        for variant in variants:
            name = f"{spec}/{variant}"
            assert row(text, name)[5] == (f"{REPORTED[name]:.2f}" if name in REPORTED else "not reported")
    assert row(text, NOMINAL.name)[1:] == [
        "he", "momentum", "0.01", "50,000 iterations, batch 1", "not reported", "diverges at step 1 to 3",
    ]  # fmt: skip


def test_whatever_the_notes_reported_is_an_experiment() -> None:
    names = {experiment.name for experiment in mnist.experiments()}
    assert set(REPORTED) < names
    assert len(names) == len(mnist.experiments())


def test_the_comment_right_above_a_variant_is_its_reason(tmp_path: Path) -> None:
    spec = tmp_path / "a.nnspec"
    spec.write_text("# All.\ndense 2\n\n# Not this.\n\n# Why it\n# differs.\nvariant b {\n}\nvariant c {\n}\n")
    assert shipped.comments(spec) == {"b": "Why it differs.", "c": ""}


def test_every_variant_has_a_reason_and_the_page_prints_it() -> None:
    text = page({})
    for experiment, reason in mnist.reasons().items():
        assert reason.endswith(".")
        assert f"- **{experiment.name}**: {reason}\n" in text


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    results = {(MLP, 1): reached(0.97, key=digest(MLP, 1)), (NOMINAL, 2): diverged(9, key=digest(NOMINAL, 2))}
    mnist.write_results(results, tmp_path / "new" / "kept.json")
    assert mnist.read_results(tmp_path / "new" / "kept.json") == results


def test_results_of_another_spec_than_there_is_now_are_forgotten(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    gone = Experiment("mnist_mlp", "once_there")
    mnist.write_results({(MLP, 1): reached(0.9, key="another"), (gone, 1): reached(0.9)}, kept)
    assert mnist.read_results(kept) == {}
    assert mnist.read_results(tmp_path / "none.json") == {}


def test_a_digest_follows_the_settings_and_the_seed_but_not_the_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "SPECS", tmp_path)
    small, spec = Experiment("small"), tmp_path / "small.nnspec"
    spec.write_text("input 4\ndense 2 softmax\n")
    before = digest(small, 1)
    assert digest(small, 2) != before
    spec.write_text("# A comment.\ninput 4\ndense 2 softmax\n")
    assert digest(small, 1) == before
    spec.write_text("input 4\ndense 2 softmax\noptimizer adam lr=0.5\n")
    assert digest(small, 1) != before
    spec.write_text("input 4\ndense 2 softmax bias=yes\noptimizer adam lr=0.001\n")
    assert digest(small, 1) == before, "an option that the language gets later, with its default, forgets no result"


def test_only_what_has_no_result_is_trained_and_every_result_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[tuple[Experiment, int]] = []

    def train(experiment: Experiment, seed: int) -> Result:
        trained.append((experiment, seed))
        return reached(0.99, key=digest(experiment, seed))

    monkeypatch.setattr(command, "train", train)
    kept, written = tmp_path / "kept.json", tmp_path / "page.md"
    mnist.write_results({(MLP, 2): reached(0.98, key=digest(MLP, 2))}, kept)
    assert command.main(["mnist_mlp"], kept, written) == 0
    assert trained == [(MLP, 1), (MLP, 3)]
    assert [entry["seed"] for entry in json.loads(kept.read_text())["results"]] == [1, 2, 3]
    assert row(written.read_text(), "mnist_mlp.nnspec")[4] == "99.00 (98.00 to 99.00)"
    assert command.main(["--table"], kept, tmp_path / "again.md") == 0
    assert len(trained) == 2
    assert (tmp_path / "again.md").read_text() == written.read_text()


def test_two_calls_at_once_keep_what_each_has_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "kept.json"
    other = {(Experiment("mnist_best"), 1): reached(0.98, key=digest(Experiment("mnist_best"), 1))}

    def train(experiment: Experiment, seed: int) -> Result:
        mnist.write_results(other, kept)
        return reached(0.99, key=digest(experiment, seed))

    monkeypatch.setattr(command, "train", train)
    results: dict[tuple[Experiment, int], Result] = {}
    command.run_missing([MLP], results, kept)
    assert mnist.read_results(kept) == results == {**other, **{(MLP, seed): results[MLP, seed] for seed in SEEDS}}


def test_an_error_is_told_and_the_page_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def train(experiment: Experiment, seed: int) -> Result:
        raise nnspec.DataError("there are no digits here", 2)

    monkeypatch.setattr(command, "train", train)
    assert command.main(["mnist_mlp"], tmp_path / "kept.json", tmp_path / "page.md") == 2
    assert "there are no digits here" in capsys.readouterr().err
    assert "not run" in (tmp_path / "page.md").read_text()


def test_an_unknown_name_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.main(["mnist_cnn/nots"])
    assert stopped.value.code == 2
    assert "notes/cnn_long" in capsys.readouterr().err


def test_a_run_of_real_digits_gives_accuracies_and_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "SPECS", tmp_path)
    spec = tmp_path / "small.nnspec"
    spec.write_text("maxpool 4 -> dense 10 softmax\ndata mnist_sample\noptimizer adam lr=0.01\ntrain 200 iterations\n")
    result = mnist.train(Experiment("small"), 1)
    assert result.accuracy is not None and 0.5 < result.accuracy < 1
    assert result.seconds is not None and result.diverged_at is None
    assert result.digest == digest(Experiment("small"), 1)


def test_a_run_that_diverges_gives_its_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "SPECS", tmp_path)
    (tmp_path / "wild.nnspec").write_text(
        "dense 8 -> dense 10 softmax\ndata mnist_sample\noptimizer sgd lr=1e30\ntrain 30 iterations batch=8\n"
    )
    result = mnist.train(Experiment("wild"), 1)
    assert result.accuracy is None and result.diverged_at is not None
    assert 1 <= result.diverged_at <= 30


def test_another_end_than_divergence_is_no_result() -> None:
    full = nnspec.TrainingError("the disk is full")
    with pytest.raises(nnspec.TrainingError, match="the disk is full"):
        mnist.step_of_divergence(full)
    with pytest.raises(nnspec.Interrupted):
        mnist.step_of_divergence(nnspec.Interrupted("stopped after step 3 of 10", 2))
