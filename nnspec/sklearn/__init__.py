"""Networks as estimators of scikit-learn, for its pipelines, searches and metrics.

    from nnspec.sklearn import NNSpecClassifier
    NNSpecClassifier("dense 32 relu -> dense softmax", seed=1).fit(X, y).predict(X)

It needs scikit-learn, which `pip install 'nnspec[sklearn]'` installs.
"""

try:
    from sklearn.utils.validation import validate_data  # noqa: F401  scikit-learn has it from 1.6 on
except ImportError as error:
    if (error.name or "").partition(".")[0] != "sklearn":
        raise
    absent = isinstance(error, ModuleNotFoundError) and error.name == "sklearn"
    found = "which is not installed" if absent else "and an older one is installed"
    raise ModuleNotFoundError(
        f"nnspec.sklearn needs scikit-learn 1.6 or later, {found}\n  help: pip install 'nnspec[sklearn]'",
        name="sklearn",
    ) from None

from nnspec.sklearn.classifier import NNSpecClassifier
from nnspec.sklearn.regressor import NNSpecRegressor

__all__ = ["NNSpecClassifier", "NNSpecRegressor"]
