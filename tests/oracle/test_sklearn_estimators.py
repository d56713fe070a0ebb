"""nnspec.sklearn with the tools of scikit-learn that people use an estimator with."""

import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

import joblib
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_multilabel_classification
from sklearn.exceptions import NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nnspec
from nnspec.sklearn import NNSpecClassifier, NNSpecRegressor

X, Y = load_iris(return_X_y=True)
SMALL = "dense 8 relu -> dense softmax"
SHORT = {"train.epochs": 5, "data.normalize": "zscore", "optimizer.lr": 0.03}


def classifier(**given: Any) -> NNSpecClassifier:
    return NNSpecClassifier(**{"spec": SMALL, "settings": SHORT, **given})


def same(one: Any, other: Any) -> bool:
    """Whether two fitted estimators have the same bits."""
    ours, theirs = one.network_.parameters, other.network_.parameters
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in ours)


# What a fit is


def test_a_fit_has_the_bits_of_nnspec_train_on_its_rows_in_their_order() -> None:
    order = np.lexsort([np.ascontiguousarray(a).view(f"V{a.itemsize * a[0].size}").reshape(-1) for a in (Y, X)])
    run = nnspec.train(SMALL, data=(X[order], Y[order]), settings=SHORT, seed=4)
    fitted = classifier(seed=4).fit(X, Y)
    assert all(np.array_equal(a, fitted.network_.parameters[name]) for name, a in run.network.parameters.items())
    assert np.array_equal(run.network.predict(X), fitted.predict_proba(X))


def test_the_order_of_the_rows_changes_no_bit() -> None:
    mixed = np.random.default_rng(0).permutation(len(X))
    assert same(classifier().fit(X, Y), classifier().fit(X[mixed], Y[mixed]))


def test_a_whole_weight_is_so_many_rows() -> None:
    weights = np.random.default_rng(0).integers(0, 4, len(X))
    repeated = np.repeat(np.arange(len(X)), weights)
    assert same(classifier().fit(X, Y, weights), classifier().fit(X[repeated], Y[repeated]))
    assert same(classifier().fit(X, Y, np.ones(len(X))), classifier().fit(X, Y))


def test_other_weights_multiply_the_loss() -> None:
    heavy = np.where(Y == 2, 1.0, 0.001)
    longer = classifier(settings={**SHORT, "train.epochs": 20})
    assert (longer.fit(X, Y, heavy).predict(X) == 2).mean() > 0.6 > (longer.fit(X, Y).predict(X) == 2).mean()
    assert same(classifier().fit(X, Y, heavy), classifier().fit(X, Y, 1e6 * heavy))


def test_class_weights_are_weights_of_their_samples() -> None:
    weights = {0: 0.25, 1: 0.5, 2: 1.5}
    assert same(classifier(class_weight=weights).fit(X, Y), classifier().fit(X, Y, np.vectorize(weights.get)(Y)))
    few = np.r_[0:50, 50:55, 100:103]
    counts = np.bincount(Y[few])
    balanced = len(few) / (3 * counts[Y[few]])
    assert same(classifier(class_weight="balanced").fit(X[few], Y[few]), classifier().fit(X[few], Y[few], balanced))


def test_seeds_are_the_specs_a_number_or_drawn() -> None:
    assert same(classifier().fit(X, Y), classifier(seed=0).fit(X, Y))
    assert same(classifier(spec=f"{SMALL}\ntrain seed=7").fit(X, Y), classifier(seed=7).fit(X, Y))
    drawn = classifier(seed=np.random.RandomState(1))
    first = pickle.loads(pickle.dumps(drawn.fit(X, Y)))
    assert not same(first, drawn.fit(X, Y))
    with pytest.raises(ValueError, match="seed is 'seven'"):
        classifier(seed="seven").fit(X, Y)


def test_what_a_fit_leaves_behind_is_what_users_of_mlp_expect() -> None:
    fitted = classifier(validation_fraction=0.2).fit(X, Y)
    assert fitted.n_iter_ == len(fitted.loss_curve_) == 5 and fitted.loss_ == fitted.loss_curve_[-1]
    assert fitted.loss_curve_[0] > fitted.loss_curve_[-1] == fitted.best_loss_
    assert fitted.t_ == 5 * 120 and fitted.n_outputs_ == 3 and fitted.n_features_in_ == 4
    assert fitted.classes_.tolist() == [0, 1, 2] and fitted.network_.classes == ("0", "1", "2")
    assert len(fitted.history_["validation_accuracy"].values) == 5


def test_the_losses_of_epochs_are_those_that_evaluations_measure() -> None:
    fitted = classifier(settings={**SHORT, "train.evaluate_every": 1, "train.batch": 64}).fit(X, Y)
    assert fitted.history_["loss"].values == pytest.approx(fitted.loss_curve_)


def test_early_stop_holds_samples_back_and_keeps_the_best_weights() -> None:
    spec = f"{SMALL}\nearly_stop patience=2\noptimizer adam lr=0.3"
    fitted = classifier(spec=spec, settings={**SHORT, "train.epochs": 60}).fit(X, Y)
    losses = fitted.history_["validation_loss"].values
    assert fitted.n_iter_ == len(losses) < 60 and losses.index(min(losses)) == len(losses) - 3
    assert fitted.t_ == 135 * fitted.n_iter_


def test_fitting_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    classifier().fit(X, Y).partial_fit(X, Y).predict(X)
    assert list(tmp_path.iterdir()) == []


# Fitting on


def test_partial_fit_goes_on_with_the_optimizer_and_a_pickle_of_it_does_too() -> None:
    # the batch is written: left open it follows from the rows of the first call
    one, parts = (
        classifier(settings={"train.batch": 16, "optimizer.lr": 0.01}),
        np.array_split(np.random.default_rng(0).permutation(150), 3),
    )
    one.partial_fit(X[parts[0]], Y[parts[0]], classes=[0, 1, 2])
    other = pickle.loads(pickle.dumps(one))
    for part in parts[1:]:
        one.partial_fit(X[part], Y[part])
        other = pickle.loads(pickle.dumps(other.partial_fit(X[part], Y[part])))
    assert same(one, other) and one.n_iter_ == 3 and one.t_ == 150
    for _ in range(60):
        one.partial_fit(X, Y)
    assert one.score(X, Y) > 0.9


def test_passes_are_the_epochs_of_a_fit() -> None:
    settings = {"train.epochs": 4, "train.batch": 150}
    whole = classifier(settings=settings).fit(X, Y)
    passes = classifier(settings=settings)
    for _ in range(4):
        passes.partial_fit(X, Y, classes=[0, 1, 2])
    assert passes.loss_curve_ == pytest.approx(whole.loss_curve_, rel=1e-5)


def test_partial_fit_needs_all_classes_once() -> None:
    with pytest.raises(ValueError, match="needs all classes"):
        classifier().partial_fit(X, Y)
    begun = classifier().partial_fit(X[:50], Y[:50], classes=[0, 1, 2])
    with pytest.raises(ValueError, match="the class 3"):
        begun.partial_fit(X, Y + 1)
    with pytest.raises(ValueError, match="the first call had"):
        begun.partial_fit(X, Y, classes=[0, 1])
    assert begun.partial_fit(X, Y).predict_proba(X).shape == (150, 3)


def test_partial_fit_is_not_there_where_it_needs_all_samples() -> None:
    reasons: dict[str, dict[str, Any]] = {"give a dict": {"class_weight": "balanced"}}
    reasons["early_stop"] = {"spec": f"{SMALL}\nearly_stop patience=3"}
    for reason, given in reasons.items():
        assert not hasattr(classifier(**given), "partial_fit")
        with pytest.raises(AttributeError) as caught:
            classifier(**given).partial_fit(X, Y, classes=[0, 1, 2])
        assert reason in f"{caught.value} {caught.value.__cause__}"


def test_warm_start_begins_with_the_weights_of_the_last_fit() -> None:
    warm = classifier(warm_start=True).fit(X, Y)
    first = warm.loss_curve_
    warm.set_params(**{"settings__optimizer.lr": 1e-9})
    before = warm.network_.parameters
    warm.fit(X, Y)
    assert all(np.allclose(before[name], warm.network_.parameters[name], atol=1e-6) for name in before)
    assert warm.loss_curve_[0] < first[-1]
    with pytest.raises(ValueError, match="other parameters"):
        warm.set_params(spec="dense 4 relu -> dense softmax").fit(X, Y)


# Searches, pipelines, copies


def test_a_search_in_two_processes_has_the_bits_of_one() -> None:
    specs = [SMALL, "let width = 4\ndense $width -> dense softmax"]
    grid = {"settings__optimizer.lr": np.array([0.001, 0.03]), "spec": specs}
    alone = GridSearchCV(classifier(), grid, cv=3).fit(X, Y)
    both = GridSearchCV(classifier(), grid, cv=3, n_jobs=2).fit(X, Y)
    assert np.array_equal(alone.cv_results_["mean_test_score"], both.cv_results_["mean_test_score"])
    assert same(alone.best_estimator_, both.best_estimator_)
    assert alone.best_params_["settings__optimizer.lr"] == 0.03


def test_settings_are_parameters_one_by_one_in_pipelines_too() -> None:
    pipe = make_pipeline(StandardScaler(), NNSpecClassifier("let width = 8\ndense $width relu -> dense softmax"))
    pipe.set_params(nnspecclassifier__settings__width=3, **{"nnspecclassifier__settings__train.epochs": 2})
    assert pipe.get_params()["nnspecclassifier__settings__width"] == 3
    assert pipe.fit(X, Y)[-1].network_.parameters["dense1/weight"].shape == (4, 3)
    assert clone(pipe)[-1].settings == {"width": 3, "train.epochs": 2}


def test_an_error_in_a_worker_comes_back_with_its_diagnostics() -> None:
    search = GridSearchCV(classifier(), {"spec": ["dens 3 softmax", SMALL]}, cv=2, n_jobs=2, error_score="raise")
    with pytest.raises(nnspec.SpecError) as caught:
        search.fit(X, Y)
    assert isinstance(caught.value, ValueError) and caught.value.diagnostics[0].code == "E101"


def test_files_of_joblib_and_pickles_predict_and_fit_on_alike(tmp_path: Path) -> None:
    fitted = classifier().fit(X, Y)
    joblib.dump(fitted, tmp_path / "net.joblib")
    loaded = joblib.load(tmp_path / "net.joblib")
    assert np.array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert same(loaded.partial_fit(X, Y), fitted.partial_fit(X, Y))
    assert fitted.network_.to_bytes()[:8] in pickle.dumps(fitted)  # sealed


def test_calibration_importance_and_cross_validation_take_it() -> None:
    calibrated = CalibratedClassifierCV(classifier(), cv=2).fit(X, Y)
    assert calibrated.predict_proba(X).shape == (150, 3)
    fitted = classifier(settings={**SHORT, "train.epochs": 40}).fit(X, Y)
    important = permutation_importance(fitted, X, Y, n_repeats=2, random_state=0).importances_mean
    assert important[2:].max() > important[:2].max()
    assert cross_val_score(fitted, X, Y, cv=3, scoring="neg_log_loss").mean() > -0.7


def test_scores_are_those_of_scikit_learn() -> None:
    fitted = classifier().fit(X, Y)
    assert fitted.score(X, Y) == accuracy_score(Y, fitted.predict(X))
    measured = nnspec.evaluate(fitted.network_, X, Y)
    assert measured["accuracy"] == fitted.score(X, Y)
    assert measured["loss"] == pytest.approx(log_loss(Y, fitted.predict_proba(X)), rel=1e-5)
    x, y = load_diabetes(return_X_y=True)
    regressor = NNSpecRegressor("dense 8 relu -> dense\nmetrics r2", settings={"train.epochs": 5}).fit(x, y)
    assert regressor.score(x, y) == r2_score(y, regressor.predict(x))
    assert nnspec.evaluate(regressor.network_, x, y)["r2"] == pytest.approx(regressor.score(x, y), abs=1e-5)


# Targets


def test_text_classes_name_the_outputs() -> None:
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    fitted = classifier().fit(X, names)
    assert fitted.network_.classes == ("setosa", "versicolor", "virginica")
    assert set(fitted.predict(X)) <= set(names)


def test_one_output_tells_two_classes_apart() -> None:
    two = Y < 2
    fitted = classifier(spec="dense 8 relu -> dense 1 sigmoid").fit(X[two], np.where(Y[two], "yes", "no"))
    proba = fitted.predict_proba(X[two])
    assert proba.shape == (100, 2) and np.allclose(proba.sum(axis=1), 1)
    assert np.array_equal(fitted.predict(X[two]) == "yes", proba[:, 1] > 0.5)
    with pytest.raises(ValueError, match="labels of 0 and 1"):
        fitted.fit(X, Y)


def test_several_labels_are_predicted_together() -> None:
    x, y = make_multilabel_classification(100, 6, n_classes=4, random_state=0)
    fitted = NNSpecClassifier(seed=1).fit(x, y)
    assert fitted.predict(x).shape == y.shape and fitted.score(x, y) > 0.5
    assert fitted.predict_proba(x).shape == (100, 4)
    with pytest.raises(ValueError, match="end the network in sigmoid"):
        classifier().fit(x, y)


def test_scores_are_a_decision_function_and_no_probabilities() -> None:
    fitted = classifier(spec="dense 8 relu -> dense linear\nloss hinge").fit(X, Y)
    assert not hasattr(fitted, "predict_proba") and not hasattr(classifier(), "decision_function")
    assert np.array_equal(fitted.decision_function(X).argmax(axis=1), fitted.predict(X))
    assert fitted.fit(X[:100], Y[:100]).decision_function(X).shape == (150,)


def test_several_numbers_and_several_quantiles_are_predicted() -> None:
    x, y = load_diabetes(return_X_y=True)
    both = NNSpecRegressor("dense 8 relu -> dense", settings={"train.epochs": 20}).fit(x, np.c_[y, -y])
    assert both.predict(x).shape == (len(x), 2) and both.predict(x).dtype == np.float64
    band = NNSpecRegressor("dense 8 relu -> dense 3\nloss quantile at=0.1, 0.5, 0.9", settings={"train.epochs": 20})
    low, middle, high = band.fit(x, y).predict(x).T
    assert (low < middle).mean() > 0.9 and (middle < high).mean() > 0.9


# Samples


def test_images_are_rows_or_images() -> None:
    rows, y = load_digits(return_X_y=True)
    spec = "input 8x8x1\nconv 3x3 x4 relu -> maxpool 2 -> dense softmax\ntrain 1 epochs"
    by_row = NNSpecClassifier(spec).fit(rows[:500], y[:500])
    images = rows.reshape(-1, 8, 8)
    by_image = NNSpecClassifier(spec).fit(images[:500], y[:500])
    assert same(by_row, by_image) and by_image.n_features_in_ == 64
    assert np.array_equal(by_row.predict_proba(images), by_row.predict_proba(rows))
    with pytest.raises(ValueError, match="features"):
        by_row.predict(rows[:, :60])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_of_numbers_are_arrays_with_names(library: str) -> None:
    frames = pytest.importorskip(library)
    names = ["a", "b", "c", "d"]
    frame = frames.DataFrame(dict(zip(names, X.T, strict=True)))
    if not hasattr(StandardScaler().fit(frame), "feature_names_in_"):
        pytest.skip(f"this version of scikit-learn does not read the names of this version of {library}")
    fitted = classifier().fit(frame, frames.Series(Y))
    assert fitted.feature_names_in_.tolist() == names and same(fitted, classifier().fit(X, Y))
    pipe = make_pipeline(StandardScaler(), classifier()).set_output(transform=library).fit(frame, Y)
    assert pipe[-1].feature_names_in_.tolist() == names and pipe.score(frame, Y) > 0.5
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame[names[::-1]])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_with_text_and_gaps_are_encoded_as_by_nnspec(library: str) -> None:
    frames = pytest.importorskip(library)
    colours = ["red", "green", "blue"]
    columns = {
        "length": [None if i % 17 == 3 else float(v) for i, v in enumerate(X[:, 2])],
        "colour": [colours[(i + label) % 3] for i, label in enumerate(Y)],
        "width": X[:, 3].tolist(),
    }
    frame = frames.DataFrame(columns)
    fitted = classifier(settings={"train.epochs": 30, "optimizer.lr": 0.01}).fit(frame, Y)
    assert fitted.n_features_in_ == 3 and fitted.score(frame, Y) > 0.7
    assert "colour=red" in (fitted.network_.preprocessing.features or ())
    loaded = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(loaded.predict_proba(frame), fitted.predict_proba(frame))
    assert fitted.partial_fit(frame, Y).n_iter_ == 31
    assert cross_val_score(fitted, frame, Y, cv=2).mean() > 0.3
    with pytest.raises(ValueError, match="give a data frame"):
        fitted.predict(X[:, :3])


# Errors


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"spec": "dense 10 softmax"}, "dense 3 softmax"),
        ({"spec": "dense 8 -> dense"}, "use NNSpecRegressor"),
        ({"settings": {"optimizer.rate": 1}}, "optimizer.lr|rate"),
        ({"settings": 3}, "settings are a int"),
        ({"validation_fraction": 2}, "between 0 and 1"),
        ({"spec": f"{SMALL}\ndata arrays folds=5"}, "cross_validate"),
        ({"spec": "nowhere.nnspec"}, "nowhere.nnspec"),
        ({"dtype": "int8"}, "float32 or float64"),
        ({"settings": {"optimizer.lr": 1e30}}, "diverged"),
    ],
)
def test_a_mistake_is_a_value_error_without_a_chain(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        classifier(**given).fit(X, Y)
    assert isinstance(caught.value, nnspec.NNSpecError)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_what_is_not_fitted_says_so() -> None:
    for call in (classifier().predict, classifier().predict_proba, NNSpecRegressor().predict):
        with pytest.raises(NotFittedError):
            call(X)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="sends itself a signal")
def test_an_interrupt_ends_a_search() -> None:
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        GridSearchCV(classifier(settings={"train.epochs": 10**7}), {"seed": [0, 1]}, cv=2).fit(X, Y)
    timer.join()


def test_without_scikit_learn_the_import_says_what_installs_it() -> None:
    program = "import sys; sys.modules['sklearn'] = None; import nnspec.sklearn"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    last = ran.stderr.strip().splitlines()
    assert last[-1].strip() == "help: pip install 'nnspec[sklearn]'" and "During handling" not in ran.stderr
