"""The regressor: one number for each sample, or several."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from nnspec.runtime.errors import DataError
from nnspec.sklearn.errors import as_value_errors
from nnspec.sklearn.estimator import SpecEstimator, require_passes
from nnspec.spec_lang.check.spec import Spec


class NNSpecRegressor(RegressorMixin, SpecEstimator):
    """A network that predicts a number for each sample, or several.

    Arguments:
        spec: the text of a network, as "dense 32 relu -> dense", or the path of a spec file, whose data statement says
            how the samples are scaled and split. None is dense 100 relu -> dense.
        settings, variant, seed, dtype, validation_fraction, warm_start, verbose: as of NNSpecClassifier.

    Targets are scaled for training unless the spec says targets=none, and predictions are in their units. With a loss
    of several quantiles a prediction has all of them side by side, (n, quantiles). After a fit it has the attributes
    of NNSpecClassifier but `classes_`.
    """

    def __init__(
        self,
        spec: str | Path | None = None,
        *,
        settings: Mapping[str, object] | None = None,
        variant: str | None = None,
        seed: Any = None,
        dtype: str = "float32",
        validation_fraction: float | None = None,
        warm_start: bool = False,
        verbose: bool = False,
    ):
        self.spec = spec
        self.settings = settings
        self.variant = variant
        self.seed = seed
        self.dtype = dtype
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.verbose = verbose

    @available_if(require_passes)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one pass over samples, with the optimizer where the last pass or fit left it.

        The first call begins a network, with what the samples say of its inputs, its scaling and, where the spec leaves
        it open, the size of a batch. Arguments and errors are those of `fit`. Samples are not held back.
        """
        with as_value_errors():
            return self._pass(X, y, None, sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _default_spec(self, several: bool) -> str:
        return "dense 100 relu -> dense"

    def _learn_targets(self, y: NDArray[Any], reset: bool, classes: Any = None) -> NDArray[Any]:
        numbers = y if y.dtype in (np.float32, np.float64) else y.astype(np.float64)
        if reset:
            self._targets = numbers.shape[1:]
        if numbers.shape[1:] != self._targets:
            raise DataError(f"y has targets of the shape {numbers.shape[1:]}, and the network has {self._targets}", 2)
        return numbers

    def _require(self, spec: Spec, several: bool) -> None:
        if spec.loss.classifies:
            raise DataError(
                f"{type(self).__name__} predicts numbers, and the loss {spec.loss.word} compares "
                f"{spec.loss.compares}: end the network in dense without {spec.loss.head or 'hinge'}, or use "
                "NNSpecClassifier",
                2,
            )

    def _require_outputs(self, spec: Spec) -> None:
        if spec.output_shape is not None and len(spec.output_shape) > 1:
            raise DataError(f"the network ends in {spec.output_shape}: end it in dense, for numbers of each sample", 2)

    def _answers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        numbers = outputs.astype(np.float64)  # as scikit-learn's regressors return them
        return numbers[:, 0] if self._targets == () and numbers.shape[1] == 1 else numbers
