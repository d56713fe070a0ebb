"""What the classifier and the regressor have in common: parameters, fitting, and what a fit leaves behind."""

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from nnspec._arguments import checked_settings
from nnspec.runtime.data.given import Arrays
from nnspec.runtime.errors import DataError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.events import Event
from nnspec.runtime.train.state import State
from nnspec.runtime.train.training_on import EpochLosses, more_data, pass_over, prepared, train_through
from nnspec.sklearn.errors import as_value_errors
from nnspec.sklearn.samples import (
    checked,
    checked_fit,
    checked_weights,
    counted,
    in_own_order,
    rows_of,
)
from nnspec.spec_lang.check.fit import TRAINING
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.report.errors import NNSpecError

SETTINGS = "settings__"
"""The prefix of parameters that are one setting each, as settings__optimizer.lr."""

HELD_BACK = 0.1
"""The share of samples that early_stop watches where neither the spec nor validation_fraction says another."""


EVEN, CHEAP = 32, 2**24
"""Samples are predicted in multiples of EVEN where that takes at most CHEAP operations more: BLAS adds up the products
of a few rows in another order than those of many, and a prediction is not to depend on the other samples."""


class SpecEstimator(BaseEstimator):
    """A spec with the interface of scikit-learn's estimators. Both classes say what their targets are."""

    spec: str | Path | None
    settings: Mapping[str, object] | None
    variant: str | None
    seed: Any
    dtype: str
    validation_fraction: float | None
    warm_start: bool
    verbose: bool
    network_: Network

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network and return the estimator.

        Arguments:
            X: samples (n, features), or in the shape of the spec's input, (n, height, width); or a data frame.
            y: the targets, (n,) or (n, outputs).
            sample_weight: the weight of each sample, (n,). Whole weights are counts: 2 is the row twice, 0 is without
                it. Others multiply the sample's part of the loss.

        The result does not depend on the order of the rows. With `warm_start` it begins with the weights of the last
        fit. Raises ValueError: SpecError, DataError and the other errors of nnspec, or those of scikit-learn.
        """
        with as_value_errors():
            former = self.network_ if self.warm_start and hasattr(self, "network_") else None
            x, y = checked_fit(self, X, y, reset=former is None)
            targets = self._learn_targets(y, former is None)
            spec = self._checked_spec(targets)
            given = self._given(spec, x, targets, sample_weight)
            self._require_targets(given.y)
            request = self._request(targets.ndim > 1, self._seed(), self._split(spec, targets))
            state, data = prepared(request, given, self.dtype, former)
            self._require_outputs(state.network.spec)
            for text in (*data.warnings, *(f"{w.message}: {w.help}" for w in state.network.spec.warnings)):
                warnings.warn(text, stacklevel=2)
            losses = EpochLosses(state.network.spec, len(data.train))
            train_through(state, data, self._say, losses)
            self._keep(state, losses.values)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return what the network predicts for samples (n, …), in the form of the targets of the fit."""
        with as_value_errors():
            return self._answers(self._outputs(X))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; with `deep` also each setting, as settings__KEY."""
        params: dict[str, Any] = super().get_params(deep=False)
        if deep and isinstance(self.settings, Mapping):
            params |= {f"{SETTINGS}{key}": value for key, value in self.settings.items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters. settings__KEY sets one setting and keeps the others: settings__optimizer.lr, settings__width.

        Raises ValueError for a parameter that there is not.
        """
        single = {key: value for key, value in params.items() if key.startswith(SETTINGS)}
        super().set_params(**{key: value for key, value in params.items() if key not in single})
        if single:
            kept = checked_settings(self.settings, None)
            self.settings = {**kept, **{key.removeprefix(SETTINGS): value for key, value in single.items()}}
        return self

    @abstractmethod
    def _default_spec(self, several: bool) -> str:
        """Return the spec where none is given, for one target of each sample or several."""

    @abstractmethod
    def _learn_targets(self, y: NDArray[Any], reset: bool, classes: Any = None) -> NDArray[Any]:
        """Return targets as a network trains on them; with `reset` learn what they are. Raises ValueError."""

    @abstractmethod
    def _require(self, spec: Spec, several: bool) -> None:
        """Raise DataError where the loss of a spec is not for such targets, several for each sample or one."""

    @abstractmethod
    def _require_outputs(self, spec: Spec) -> None:
        """Raise DataError where the outputs of the network are not as many as the targets need."""

    @abstractmethod
    def _answers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Return predictions from the outputs of the network, (n, outputs)."""

    def _require_targets(self, targets: NDArray[Any]) -> None:
        """Raise DataError where the targets that are left after weighting cannot be learnt."""

    def _class_names(self) -> tuple[str, ...] | None:
        """Return the names of the classes that the targets are the numbers of, None where they are none."""
        return None

    def _factors(self, targets: NDArray[Any]) -> NDArray[np.float64] | None:
        """Return the weights of samples that follow from their classes, None where there are none."""
        return None

    def _pass(self, X: Any, y: Any, classes: Any, sample_weight: Any) -> Self:
        first = not hasattr(self, "network_")
        x, y = checked_fit(self, X, y, reset=first)
        targets = self._learn_targets(y, first, classes)
        spec = self._checked_spec(targets) if first else self.network_.spec
        given = self._given(spec, x, targets, sample_weight)
        if first:
            request = self._request(targets.ndim > 1, self._seed(), {"data.split": "100/0"})
            state, data = prepared(request, given, self.dtype)
            self._require_outputs(state.network.spec)
        else:
            state, data = self._state, more_data(self._state.network, given)
        curve = [] if first else self.loss_curve_
        loss = pass_over(state, data)
        self._say({"event": "evaluation", "epoch": len(curve) + 1, "loss": loss})
        self._keep(state, [*curve, loss])
        return self

    def _spec_if_valid(self) -> Spec | None:
        """Return the spec of the fit, else the one that is given; None where it has errors, which fit reports."""
        if hasattr(self, "network_"):
            return self.network_.spec
        try:
            return self._request(False).check()
        except (NNSpecError, TypeError, OSError):
            return None

    def _checked_spec(self, targets: NDArray[Any]) -> Spec:
        """Return the spec as far as it says what its loss and its training are, without the samples."""
        several = targets.ndim > 1
        spec = self._request(several).check()
        self._require(spec, several)
        if spec.data is not None and spec.data.folds_to_train is not None:
            raise DataError("the spec asks for folds: leave folds= out, and use scikit-learn's cross_validate", 2)
        return spec

    def _request(self, several: bool, seed: int | None = None, more: Mapping[str, object] | None = None) -> Request:
        """Return the request for the spec with its settings, `more` of them, and a seed.

        `several`: there are several targets for each sample.
        """
        settings = {
            key: value.item() if isinstance(value, np.generic) else value
            for key, value in checked_settings(self.settings, self.variant).items()
        }
        spec = self.spec if self.spec is not None else self._default_spec(several)
        return Request(spec, {**settings, **(more or {})}, self.variant, None, seed, in_memory=True)

    def _seed(self) -> int | None:
        """Return the seed of a fit, drawn where a generator is given; None for the spec's own."""
        if isinstance(self.seed, np.random.RandomState):
            return int(self.seed.randint(2**31 - 1))
        if isinstance(self.seed, np.random.Generator):
            return int(self.seed.integers(2**31 - 1))
        if self.seed is None or isinstance(self.seed, int | np.integer):
            return None if self.seed is None else int(self.seed)
        raise DataError(f"seed is {self.seed!r}: give a whole number, a RandomState, a Generator, or None", 2)

    def _split(self, spec: Spec, targets: NDArray[Any]) -> dict[str, object]:
        """Return the settings that hold samples back for validation: validation_fraction, or what early_stop needs."""
        share = self.validation_fraction
        if share is None:
            held = spec.data is not None and any(spec.data.split[1:])
            if held or spec.early_stop is None or not _watches_validation(spec.early_stop.monitor):
                return {}
            share = HELD_BACK
        if not isinstance(share, int | float | np.number) or not 0 < share < 1:
            raise DataError(f"validation_fraction is {share!r}: give a number between 0 and 1, or None", 2)
        shares = {"data.split": f"{100 - 100 * float(share):.10g}/{100 * float(share):.10g}"}
        one_class = spec.loss.classifies and targets.ndim == 1 and not (spec.data is not None and spec.data.in_time)
        return {**shares, "data.stratified": True} if one_class else {**shares}

    def _given(self, spec: Spec, x: Any, targets: NDArray[Any], sample_weight: Any) -> Arrays:
        """Return samples to train on in an order of their own, repeated by whole weights."""
        weights = checked_weights(sample_weight, len(targets))
        in_time = spec.train.stateful or (spec.data is not None and spec.data.in_time)
        order = np.arange(len(targets)) if in_time else in_own_order(x, targets, weights)
        places, weights = counted(weights, order)
        targets = targets[places]
        factors = self._factors(targets)
        if factors is not None:
            weights = factors if weights is None else weights * factors
        return Arrays(rows_of(x, places), targets, None, weights, self._class_names())

    def _say(self, event: Event) -> None:
        """Print what a training measures, with `verbose`."""
        if self.verbose and event["event"] == "note":
            print(event["text"])
        if self.verbose and event["event"] == "evaluation":
            measured = {name: value for name, value in event.items() if name not in ("event", "step", "epoch")}
            said = (f"{name} {value:.6g}" for name, value in measured.items())
            print(f"epoch {event['epoch']}: {', '.join(said)}")

    def _keep(self, state: State, losses: list[float]) -> None:
        """Set what a fit leaves behind."""
        state.order, state.position = state.order[:0], 0
        self._state = state
        self.network_ = state.judged
        self.history_ = dict(state.history)
        self.loss_curve_, self.loss_, self.best_loss_ = losses, losses[-1], min(losses)
        self.n_iter_, self.t_ = len(losses), state.samples
        self.n_outputs_ = (state.network.spec.output_shape or (1,))[-1]

    def _outputs(self, X: Any) -> NDArray[Any]:
        """Return the outputs of the network for samples, (n, outputs)."""
        check_is_fitted(self, "network_")
        network = self.network_
        found = network.preprocessing.as_batch(checked(self, X, network.preprocessing.columns is not None))
        count = len(found)
        if EVEN * sum(node.flops() for node in network.spec.nodes) <= CHEAP:
            found = np.concatenate([found, np.repeat(found[-1:], -count % EVEN, axis=0)])
        outputs = network.predict(found)[:count]
        return outputs.reshape(count, -1)


def require_passes(estimator: SpecEstimator) -> bool:
    """Return True where an estimator can train pass by pass. Raises AttributeError, as scikit-learn asks, where not."""
    spec = estimator._spec_if_valid()  # noqa: SLF001
    if spec is not None and spec.early_stop is not None:
        raise AttributeError("partial_fit makes one pass and holds nothing back: use fit, or leave early_stop out")
    if getattr(estimator, "class_weight", None) == "balanced":
        raise AttributeError('class_weight="balanced" needs all samples at once: for partial_fit give a dict')
    return True


def _watches_validation(monitor: str) -> bool:
    """Return whether what early_stop watches is measured on the validation split."""
    return monitor != "loss" and not monitor.startswith(TRAINING)
