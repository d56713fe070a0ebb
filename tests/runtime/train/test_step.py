"""Steps of training: what clipping does to one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec

SPEC = "input 3\ndense 2\ninit normal\noptimizer sgd lr=1\ntrain 1 iterations batch=4"


def moved(**train: Any) -> np.ndarray:
    """How far one step of plain SGD at a rate of 1 moves all parameters: the gradient that it took."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(4, 3)), 5 * random.normal(size=(4, 2))
    settings = {f"train.{name}": value for name, value in train.items()}
    before = nnspec.compile(SPEC, dtype="float64").parameters
    after = nnspec.train(SPEC, data=(x, y), settings=settings, dtype="float64").network.parameters
    return np.concatenate([(before[name] - after[name]).ravel() for name in before])


def test_clip_norm_shortens_the_whole_gradient_and_keeps_its_direction() -> None:
    whole = moved()
    norm = float(np.linalg.norm(whole))
    assert norm > 1
    np.testing.assert_allclose(moved(clip_norm=1), whole / norm, rtol=1e-12)
    np.testing.assert_array_equal(moved(clip_norm=2 * norm), whole)


def test_clip_value_cuts_each_number_by_itself() -> None:
    whole = moved()
    edge = float(np.median(np.abs(whole)))
    np.testing.assert_allclose(moved(clip_value=edge), np.clip(whole, -edge, edge), rtol=1e-12)
    assert float(np.abs(moved(clip_value=edge)).max()) == pytest.approx(edge)


def test_numbers_are_cut_before_the_whole_is_shortened() -> None:
    whole = moved()
    edge = float(np.median(np.abs(whole)))
    cut = np.clip(whole, -edge, edge)
    np.testing.assert_allclose(moved(clip_value=edge, clip_norm=0.1), 0.1 * cut / np.linalg.norm(cut), rtol=1e-12)


def test_a_sample_of_weight_two_counts_as_two_and_one_of_weight_zero_as_none() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(4, 3)), 5 * random.normal(size=(4, 2))
    twice = np.array([0, 0, 2, 3])
    spec = f"{SPEC}\ndata arrays targets=none"
    weighted = nnspec.train(spec, data=(x, y), sample_weight=[2, 0, 1, 1], dtype="float64").network.parameters
    repeated = nnspec.train(spec, data=(x[twice], y[twice]), dtype="float64").network.parameters
    for name, value in repeated.items():
        np.testing.assert_allclose(weighted[name], value, rtol=1e-12)


def test_balanced_classes_let_a_rare_one_be_found() -> None:
    random = np.random.default_rng(1)
    x = np.concatenate([random.normal(0, 1, (380, 2)), random.normal(1.2, 1, (20, 2))])
    y = np.repeat([0, 1], [380, 20])
    spec = "dense 2 softmax\ntrain 40 epochs batch=20"
    recalls = []
    for text in (spec, f"{spec}\nweights classes=balanced"):
        run = nnspec.train(text, data=(x, y))
        recalls.append((run.network.predict(x).argmax(axis=1)[y == 1] == 1).mean())
    assert recalls[0] < 0.4 < 0.7 < recalls[1]


def test_weights_without_a_file_or_an_array_to_weigh_are_refused() -> None:
    with pytest.raises(nnspec.DataError, match="sample_weight needs data given as arrays"):
        nnspec.train("dense 10 softmax", data="mnist_sample", sample_weight=[1])


def test_a_weighted_run_stops_and_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    np.savez(tmp_path / "a.npz", x=random.normal(size=(60, 3)), y=random.integers(0, 3, 60), w=random.random(60))
    spec = tmp_path / "net.nnspec"
    spec.write_text('dense 8 relu -> dense 3 softmax\ndata npz "a.npz"\nweights column=w classes=balanced\n')
    text = spec.read_text()
    whole = nnspec.train(spec, tmp_path / "whole", settings={"train.length": 4})
    kept = nnspec.train(spec, tmp_path / "kept", settings={"train.length": 4, "train.keep": 5})
    last = tmp_path / "kept" / "last.h5"
    last.unlink()
    steps = sorted((tmp_path / "kept").glob("step*.h5"))
    again = nnspec.resume(steps[0])
    assert text == spec.read_text() and kept.end["steps"] == again.end["steps"] == whole.end["steps"]
    for name, value in whole.network.parameters.items():
        assert np.array_equal(value, again.network.parameters[name])


def test_few_samples_and_few_parameters_are_trained_at_a_quick_rate_unless_one_is_written() -> None:
    random = np.random.default_rng(3)
    x, y = random.normal(size=(90, 4)), random.integers(0, 3, 90)

    def rate(spec: str, rows: int = 90) -> tuple[float, bool]:
        run = nnspec.train(spec, data=(x[:rows], y[:rows]))
        return run.network.spec.optimizer.lr, any("lr=0.01" in note for note in run.data.notes)

    assert rate("dense 3 softmax") == (0.01, True)
    assert rate("dense 3 softmax\noptimizer adam") == (0.01, True)
    assert rate("dense 3 softmax\noptimizer adam lr=0.001") == (0.001, False)
    assert rate("dense 3 softmax\noptimizer sgd") == (0.01, False)  # its own default
    assert rate("dense 32 relu -> dense 3 softmax") == (0.001, False)  # more parameters than samples
    assert rate("dense 3 softmax\ntrain 5 epochs") == (0.001, False)
    assert rate("dense 3 softmax", 12) == (0.001, False)
