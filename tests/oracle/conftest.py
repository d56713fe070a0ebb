"""PyTorch answers for the arithmetic here. It is no dependency of the tests: without it these are not collected."""

import importlib.util

collect_ignore_glob = ["*"] if importlib.util.find_spec("torch") is None else []
