"""Networks whose outputs are scores of classes, as those of hinge: decided at 0, and no probabilities."""

import json
from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec.runtime.explain.occlusion import OcclusionError
from nnspec.runtime.infer.baseline import Baseline
from nnspec.runtime.infer.evaluation import confusion_matrix
from nnspec.runtime.infer.sampling import TextGenerator, generates_text
from tests.support.commands import nnspec as run_nnspec


def two_classes() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    x = random.normal(size=(300, 2)).astype(np.float32)
    return x, np.where(x[:, 0] + x[:, 1] > 0.3, "yes", "no")


@pytest.mark.parametrize("last", ["dense 1\nloss binary_hinge", "dense 2\nloss hinge"])
def test_scores_are_decided_at_0_wherever_classes_are_told_apart(last: str) -> None:
    x, y = two_classes()
    spec = f"{last}\nmetrics accuracy, auc, f1 average=binary\noptimizer adam lr=0.02\ntrain 20 epochs batch=16 seed=1"
    run = nnspec.train(spec, data=(x, y))
    outputs, said = run.network.predict(x), run.network.predict_classes(x)
    assert outputs.min() < -1 and outputs.max() > 1, "scores of any size"
    second = outputs[:, -1] > (0 if outputs.shape[-1] == 1 else outputs[:, 0])
    np.testing.assert_array_equal(said, np.where(second, "yes", "no"))
    right = float(np.mean(said == y))
    found = nnspec.evaluate(run.network, x, y)
    assert found["accuracy"] == pytest.approx(right) and right > 0.9
    assert found["auc"] > 0.97 and found["f1"] > 0.9
    assert np.trace(confusion_matrix(run.network, run.data.train)) / len(x) == pytest.approx(right)


@pytest.mark.parametrize("last", ["dense 1\nloss binary_hinge", "dense 2\nloss hinge"])
def test_the_baseline_of_scores_is_the_majority_class(last: str) -> None:
    x, y = two_classes()
    run = nnspec.train(f"{last}\ntrain 1 epochs", data=(x, y))
    baseline = Baseline.fit(run.network, run.data.train)
    assert baseline.name == "majority class"
    assert baseline.measure(run.data.train)["accuracy"] == pytest.approx(np.mean(y == "no"))


def test_predict_calls_scores_scores(tmp_path: Path) -> None:
    x, y = two_classes()
    rows = "".join(f"{a},{b},{c}\n" for (a, b), c in zip(x, y, strict=True))
    table = tmp_path / "a.csv"
    table.write_text(f"a,b,c\n{rows}")
    nnspec.train(f'dense 1\ndata csv "{table}" target=c\nloss binary_hinge\ntrain 1 epochs', out=tmp_path / "run")
    found = json.loads(run_nnspec(tmp_path, "predict", tmp_path / "run", table, "--json").stdout)
    for prediction in found["predictions"]:
        low, high = prediction["scores"]
        assert low == -high and prediction["label"] == ("yes" if high > 0 else "no")
        assert "probabilities" not in prediction
    assert "%" not in run_nnspec(tmp_path, "predict", tmp_path / "run", table).stdout


def test_occlusion_refuses_scores() -> None:
    network = nnspec.compile("input 6x6x1\ndense 3\nloss hinge")
    with pytest.raises(OcclusionError, match="outputs of loss hinge are scores: train with loss cross_entropy"):
        nnspec.occlude(network, np.zeros((1, 6, 6, 1)), [0])


def test_text_is_not_drawn_from_scores() -> None:
    spec = "onehot -> rnn 4 return=sequence -> dense 27\ndata dinos\nloss hinge\ntrain 1 iterations"
    network = nnspec.train(spec).network
    assert network.preprocessing.vocabulary is not None
    assert not generates_text(network)
    with pytest.raises(nnspec.NNSpecError, match="no probabilities to draw from"):
        TextGenerator(network, 0)
