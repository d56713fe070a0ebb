"""Scaled targets against scikit-learn: the scaling, a linear model to convergence, and metrics in the user's units."""

import numpy as np
import pytest

import nnspec

pytest.importorskip("sklearn")

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(200, 4))
Y = np.column_stack([5000 + X @ [300, -20, 4, 0] + RANDOM.normal(0, 10, 200), 0.01 * X[:, 0] - 3])
LINEAR = "dense 2\ninit zeros\nloss mse\noptimizer sgd lr=0.3\ntrain 400 iterations batch=200\nmetrics r2, rmse, mae"


def test_targets_are_scaled_as_by_the_standard_scaler() -> None:
    from sklearn.preprocessing import StandardScaler

    scaling = nnspec.train(LINEAR, data=(X, Y), settings={"train.iterations": 1}).network.preprocessing.target_scaling
    assert scaling is not None
    scaler = StandardScaler().fit(Y)
    np.testing.assert_allclose(scaling.apply(Y), scaler.transform(Y), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(scaling.invert(scaling.apply(Y)), Y, rtol=1e-12)


def test_a_linear_network_becomes_the_least_squares_model() -> None:
    from sklearn.linear_model import LinearRegression

    network = nnspec.train(LINEAR, data=(X, Y), settings={"data.normalize": "zscore"}, dtype="float64").network
    np.testing.assert_allclose(network.predict(X), LinearRegression().fit(X, Y).predict(X), rtol=1e-9)


def test_metrics_of_a_regression_are_those_of_scikit_learn() -> None:
    from sklearn import metrics
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    settings = {"data.normalize": "zscore", "data.split": "80/20", "train.epochs": 5}
    run = nnspec.train(
        "dense 8 relu -> dense 1\nmetrics r2, rmse, mae", data=(x, y), settings=settings, dtype="float64"
    )
    predicted = run.network.predict(x)[:, 0]
    measured = nnspec.evaluate(run.network, x, y)
    assert measured["r2"] == pytest.approx(metrics.r2_score(y, predicted), rel=1e-9)
    assert measured["rmse"] == pytest.approx(np.sqrt(metrics.mean_squared_error(y, predicted)), rel=1e-9)
    assert measured["mae"] == pytest.approx(metrics.mean_absolute_error(y, predicted), rel=1e-9)


def test_the_diabetes_set_is_learnt_at_the_defaults() -> None:
    """As well as a linear model on the same split, within a tenth."""
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import LinearRegression

    x, y = load_diabetes(return_X_y=True)
    run = nnspec.train(
        "dense 16 relu -> dense 1", data=(x, y), settings={"data.normalize": "zscore", "data.split": "80/20"}
    )
    held = run.data.validation
    assert held is not None
    linear = LinearRegression().fit(run.data.train.inputs, run.data.train.targets)
    reference = np.sqrt(np.mean((linear.predict(held.inputs) - held.targets) ** 2))
    assert run.end["validation_rmse"] < 1.1 * reference
