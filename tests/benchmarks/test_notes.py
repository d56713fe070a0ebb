"""The answers to the claims of the notes, from numbers made up here and from small networks."""

from pathlib import Path

import numpy as np
import pytest

import nnspec
from benchmarks.experiments.notes import claims, page
from benchmarks.experiments.notes.claims import Detail, Fit, Meaning
from nnspec.runtime.data import Split

LEARNT = Meaning(before=0.0, after=0.6, whole=0.96, shuffled=0.4, rewound=0.5)
KEPT = Meaning(before=0.0, after=0.02, whole=0.96, shuffled=0.4, rewound=0.94)
SMOOTH = Detail(roughness=0.1, agreement=0.8, deletion=0.2, insertion=0.9, drop=3.0)
ROUGH = Detail(roughness=0.3, agreement=0.7, deletion=0.3, insertion=0.8, drop=2.0)


def answers(
    weights: Meaning = LEARNT, fit: Fit | None = None, small: Detail = ROUGH, large: Detail = SMOOTH
) -> list[str]:
    fits = {"paper_sgd": fit or Fit(0.97, 0.965, 1.0)}
    text = claims.section({"cnn": weights}, fits, {"2x2": small, "3x3": large})
    return [part.split("\n\n")[1] for part in text.split("### ")[1:]]


def test_an_answer_follows_from_the_numbers() -> None:
    meaning, fit, detail = answers()
    assert (
        meaning.startswith("**Supported**") and fit.startswith("**Supported**") and detail.startswith("**Supported**")
    )
    assert "less well" in detail and "those of 3x3 name better" in detail
    meaning, fit, detail = answers(KEPT, Fit(0.99, 0.95, 1.2), SMOOTH, ROUGH)
    assert meaning.startswith("**In part**") and "the first layer may stay as it began" in meaning
    assert fit.startswith("**Refuted** for paper_sgd") and "4.00 points" in fit
    assert detail.startswith("**Refuted**")


def test_the_median_is_that_of_each_number() -> None:
    assert Fit.median([Fit(0.9, 0.8, 1.0), Fit(0.7, 0.6, 3.0), Fit(0.8, 0.9, 2.0)]) == Fit(0.8, 0.8, 2.0)


def test_a_fit_compares_the_last_validation_loss_with_the_lowest() -> None:
    x, y = np.eye(4), np.arange(4)
    network = nnspec.compile("input 4 -> dense 4 softmax", data=(x, y))
    network.set_parameters({"dense1/weight": 9 * np.eye(4), "dense1/bias": np.zeros(4)})
    data = nnspec.data_from_arrays(x, y, (x, np.array([0, 1, 2, 0])), classification=True)
    found = claims.fit(network, data, [0.5, 0.2, 0.25])
    assert found.rise == pytest.approx(1.25) and (found.training, found.validation) == (1.0, 0.75)
    assert found.gap == pytest.approx(25.0)


def test_weights_are_measured_whole_shuffled_and_set_back() -> None:
    rng = np.random.default_rng(0)
    ramp = np.add.outer(np.arange(28), np.arange(28)).reshape(784, 1) / 50  # neighbours are nearly alike
    network = nnspec.compile("input 28x28x1 -> dense 10 softmax", seed=1)
    before = nnspec.compile("input 28x28x1 -> dense 10 softmax", seed=1)
    network.set_parameters({"dense1/weight": np.tile(ramp, (1, 10)) * rng.choice([-1, 1], 10)})
    images = rng.random((40, 28, 28, 1))
    test = Split(images, network.predict(images).argmax(axis=-1))
    found = claims.meaning(network, before, test, "dense1")
    assert found.after > 0.95 and abs(found.before) < 0.1
    assert found.whole == 1.0 and found.rewound < 0.9


def test_nothing_is_said_where_nothing_is_kept(tmp_path: Path) -> None:
    assert page.text(tmp_path / "notes.json") == ""
