"""PyTorch and ONNX answer for the arithmetic here. They are no dependencies of the tests: without PyTorch the
comparisons with it are not collected, and without onnx those with ONNX's node tests are skipped."""

import importlib.util

collect_ignore_glob = ["test_[!o]*", "test_optimizers.py"] if importlib.util.find_spec("torch") is None else []
