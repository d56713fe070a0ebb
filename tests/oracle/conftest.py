"""PyTorch, scikit-learn and ONNX answer for the arithmetic here. They are no dependencies of the tests: without PyTorch
the comparisons with it are not collected, and without the others theirs are skipped."""

import importlib.util
from pathlib import Path

_HERE = Path(__file__).parent
_WITH_TORCH = [file.name for file in _HERE.glob("test_*.py") if "\nimport torch" in file.read_text(encoding="utf-8")]

collect_ignore = _WITH_TORCH if importlib.util.find_spec("torch") is None else []
