import pytest

from benchmarks import accuracy
from nnspec.spec_lang.check.spec_request import Request


def test_what_pytorch_trains_has_the_parameters_of_the_spec() -> None:
    pytest.importorskip("torch")
    spec = Request(accuracy.SPEC).check((28, 28, 1), 10)
    assert sum(p.numel() for p in accuracy.torch_network().parameters()) == spec.parameter_count
    assert (spec.schedule.word, spec.optimizer.word, spec.init.word) == ("cosine", "adam", "he")


def test_the_first_epoch_that_is_good_enough_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(accuracy.PEERS, "nnspec", lambda seed: iter([(1.0, 0.98), (2.0, 0.991), (3.0, 0.995)]))
    assert accuracy.reached("nnspec", 1)["seconds"] == 2.0
    monkeypatch.setitem(accuracy.PEERS, "nnspec", lambda seed: iter([(1.0, 0.98)]))
    assert accuracy.reached("nnspec", 1)["seconds"] is None
