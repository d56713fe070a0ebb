"""The classifier: classes or labels of samples, and their probabilities."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from nnspec.runtime.errors import DataError
from nnspec.sklearn.errors import as_value_errors
from nnspec.sklearn.estimator import SpecEstimator, require_passes
from nnspec.spec_lang.check.spec import Spec


def _scored(estimator: SpecEstimator) -> bool:
    spec = estimator._spec_if_valid()  # noqa: SLF001
    return spec is not None and spec.loss.scores


def _probable(estimator: SpecEstimator) -> bool:
    return not _scored(estimator)


class NNSpecClassifier(ClassifierMixin, SpecEstimator):
    """A network that tells classes apart, or predicts several labels of each sample.

    Arguments:
        spec: the text of a network, as "dense 32 relu -> dense softmax", or the path of a spec file, whose data
            statement says how the samples are scaled and split. None is dense 100 relu -> dense softmax, of several
            labels dense 100 relu -> dense sigmoid.
        settings: lets and options by key, as {"optimizer.lr": 0.01}; each is also a parameter, settings__optimizer.lr.
        variant: the name of a variant of the spec.
        seed: of the first weights, the order of samples and dropout; a RandomState or Generator draws a new one for
            each fit. None is the spec's own, 0 where it has none: two fits are the same.
        dtype: float32 or float64, in which the network computes.
        class_weight: weights of the classes by label, or "balanced".
        validation_fraction: the share of samples to hold back and measure, of every class alike. None is what the spec
            says, and 0.1 where early_stop watches the validation split and the spec has none.
        warm_start: whether fit begins with the weights of the last fit.
        verbose: whether evaluations are printed.

    After a fit: `classes_`, `n_features_in_`, `feature_names_in_`, `network_` (an nnspec network: save it, plot it,
    export it), `loss_curve_` (the mean training loss of each epoch), `loss_`, `best_loss_`, `n_iter_` (epochs), `t_`
    (samples seen), `n_outputs_`, `history_` (steps and values of every metric measured). With early_stop the network is
    that of the best evaluation.
    """

    _several: bool

    def __init__(
        self,
        spec: str | Path | None = None,
        *,
        settings: Mapping[str, object] | None = None,
        variant: str | None = None,
        seed: Any = None,
        dtype: str = "float32",
        class_weight: Any = None,
        validation_fraction: float | None = None,
        warm_start: bool = False,
        verbose: bool = False,
    ):
        self.spec = spec
        self.settings = settings
        self.variant = variant
        self.seed = seed
        self.dtype = dtype
        self.class_weight = class_weight
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.verbose = verbose

    @available_if(require_passes)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one pass over samples, with the optimizer where the last pass or fit left it.

        The first call begins a network, with what the samples say of its inputs, its scaling and, where the spec leaves
        it open, the size of a batch; it needs all `classes`, unless y has several labels. The other arguments and the
        errors are those of `fit`. Samples are not held back.
        """
        with as_value_errors():
            return self._pass(X, y, classes if classes is not None else _UNKNOWN, sample_weight)

    @available_if(_probable)
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probability of each class of samples, (n, classes), or of each label."""
        with as_value_errors():
            outputs = self._outputs(X)
        if self._several:
            return outputs
        if outputs.shape[1] == 1:
            return np.column_stack([1 - outputs, outputs])
        if self.network_.spec.loss.labels:  # one for each class, independent of the others
            sums = np.maximum(outputs.sum(axis=1, keepdims=True), np.finfo(outputs.dtype).tiny)
            return np.asarray(outputs / sums)
        return outputs

    @available_if(_probable)
    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Return the logarithm of the probabilities, (n, classes)."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(X)))

    @available_if(_scored)
    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return the scores of the classes, (n, classes), of two classes that of the second, (n,).

        Only networks whose loss compares scores, as hinge, have it, instead of probabilities.
        """
        with as_value_errors():
            outputs = self._outputs(X)
        if self._several or outputs.shape[1] > 2:
            return outputs
        return np.asarray(outputs[:, -1] - outputs[:, 0] if outputs.shape[1] == 2 else outputs[:, 0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        spec = None if self.spec is None else self._spec_if_valid()
        labels = self.spec is None or (spec is not None and spec.loss.labels)
        tags.classifier_tags.multi_label = labels and self.class_weight is None
        return tags

    def _default_spec(self, several: bool) -> str:
        return f"dense 100 relu -> dense {'sigmoid' if several else 'softmax'}"

    def _learn_targets(self, y: NDArray[Any], reset: bool, classes: Any = None) -> NDArray[Any]:
        check_classification_targets(y)
        several = y.ndim == 2 and y.shape[1] > 1
        if not reset and several != self._several:
            raise DataError(f"y has {'several labels' if several else 'one class'} for each sample, unlike before", 2)
        if several:
            return self._labels(y, reset)
        y = column_or_1d(y, warn=True)
        if reset:
            if classes is _UNKNOWN:
                raise DataError("the first call to partial_fit needs all classes: partial_fit(X, y, classes=…)", 2)
            known = np.unique(y if classes is None else np.asarray(classes))
            if len(known) < 2:
                raise DataError(f"{type(self).__name__} tells two classes or more apart, and y has 1 class", 2)
            self.classes_, self._several = known, False
        elif classes is not None and classes is not _UNKNOWN and not np.array_equal(np.unique(classes), self.classes_):
            raise DataError(f"classes are {np.unique(classes)}, and the first call had {self.classes_}", 2)
        unknown = ~np.isin(y, self.classes_)
        if unknown.any():
            raise DataError(f"y has the class {y[unknown][0]}, and the classes are {self.classes_}", 2)
        return np.searchsorted(self.classes_, y)

    def _labels(self, y: NDArray[Any], reset: bool) -> NDArray[Any]:
        if type_of_target(y) != "multilabel-indicator":
            raise DataError("y has several columns: each must be 1 for yes and 0 for no", 2)
        if reset:
            self.classes_, self._several, self._label_type = np.arange(y.shape[1]), True, y.dtype
        if y.shape[1] != len(self.classes_):
            raise DataError(f"y has {y.shape[1]} labels for each sample, and the network has {len(self.classes_)}", 2)
        return y.astype(np.float64)

    def _require(self, spec: Spec, several: bool) -> None:
        if not spec.loss.classifies:
            raise DataError(
                f"{type(self).__name__} tells classes apart, and the loss {spec.loss.word} compares "
                f"{spec.loss.compares}: end the network in softmax, or use NNSpecRegressor",
                2,
            )
        if several and not spec.loss.labels:
            raise DataError(
                f"y has several labels for each sample, and the loss {spec.loss.word} is for one class: end the "
                "network in sigmoid",
                2,
            )

    def _require_targets(self, targets: NDArray[Any]) -> None:
        if targets.ndim == 1 and (targets == targets[0]).all():
            raise DataError("sample_weight leaves the samples of one class: weigh two classes or more", 2)

    def _require_outputs(self, spec: Spec) -> None:
        output, count = spec.output_shape or (1,), len(self.classes_)
        if len(output) > 1:
            raise DataError(f"the network ends in {output}, and each sample has one target: end it in dense softmax", 2)
        if output[0] != count and not (output[0] == 1 and count == 2 and not self._several):
            what = "labels" if self._several else "classes"
            head = "sigmoid" if spec.loss.labels else "softmax"
            raise DataError(
                f"the network has {output[0]} outputs, and y has {count} {what}: write dense {head} without a number, "
                "and the outputs follow from y",
                2,
            )

    def _class_names(self) -> tuple[str, ...] | None:
        return None if self._several else tuple(map(str, self.classes_))

    def _factors(self, targets: NDArray[Any]) -> NDArray[np.float64] | None:
        if self.class_weight is None:
            return None
        if self._several:
            raise DataError("class_weight is for one class of each sample, and y has several labels", 2)
        found: NDArray[np.float64] = compute_sample_weight(self.class_weight, self.classes_[targets])
        return found

    def _answers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        threshold = self.network_.spec.loss.threshold
        if self._several:
            return (outputs > threshold).astype(self._label_type)
        numbers = (outputs[:, 0] > threshold).astype(np.intp) if outputs.shape[1] == 1 else outputs.argmax(axis=1)
        return np.asarray(self.classes_[numbers])


_UNKNOWN = object()
"""The classes of a call to partial_fit that names none."""
