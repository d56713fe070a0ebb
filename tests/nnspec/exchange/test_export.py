"""What every way out has in common: names, paths, options, samples, and nothing written unless all of it holds."""

from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec.exchange import export as exchange
from nnspec.exchange.export import Files, Leaving, way
from nnspec.exchange.trial import trial_of

NET = "input 4 -> dense 3 softmax"


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> list[Leaving]:
    """A way that writes what it was given, in two files, and fails where it is told to."""
    monkeypatch.setattr(exchange, "_WAYS", dict(exchange.ways()))
    seen: list[Leaving] = []

    @way("echo", (".txt", ".bin"), "a test", options=("fail",))
    def _(leaving: Leaving) -> Files:
        seen.append(leaving)
        if leaving.options.get("fail"):
            raise nnspec.ExchangeError("dense1 cannot go")
        return Files({".txt": leaving.name.encode(), ".bin": leaving.answers.tobytes()}, ("said",))

    return seen


def test_files_are_named_and_tried_on_samples(echo: list[Leaving], tmp_path: Path) -> None:
    network = nnspec.compile(NET, seed=1)
    for out in (tmp_path / "net", tmp_path / "net.txt", tmp_path / "net.bin"):
        made = nnspec.export(network, "echo", out)
        assert made.paths == (tmp_path / "net.txt", tmp_path / "net.bin")
        assert made.notes == ("said",)
    assert (tmp_path / "net.txt").read_text() == "net"
    assert nnspec.export(network, "echo", tmp_path).paths[0] == tmp_path / f"{network.spec.name}.txt"
    x = np.ones((2, 4))
    nnspec.export(network, "echo", tmp_path, x)
    assert np.array_equal(echo[-1].samples, x) and np.array_equal(echo[-1].answers, network.predict(x))


def test_nothing_is_written_where_a_network_cannot_go(echo: list[Leaving], tmp_path: Path) -> None:
    with pytest.raises(nnspec.ExchangeError, match="dense1 cannot go"):
        nnspec.export(nnspec.compile(NET), "echo", tmp_path / "new" / "net", fail=True)
    assert not list(tmp_path.iterdir())


def test_an_unknown_way_and_an_unknown_option_name_what_there_is(echo: list[Leaving], tmp_path: Path) -> None:
    network = nnspec.compile(NET)
    with pytest.raises(nnspec.ExchangeError, match="did you mean echo") as caught:
        nnspec.export(network, "ecco", tmp_path)
    assert caught.value.exit_code == 2
    with pytest.raises(nnspec.ExchangeError, match="echo has no option state; its options are fail"):
        nnspec.export(network, "echo", tmp_path, state=True)


def test_samples_are_those_of_the_data_or_drawn(tmp_path: Path) -> None:
    run = nnspec.train(
        "maxpool 4 -> dense 10 softmax\ndata mnist_sample", settings={"train.epochs": 1}, out=tmp_path / "r"
    )
    of_data = trial_of(run.network)
    assert of_data.origin == "samples of the test split" and of_data.training is not None
    assert of_data.samples.shape[1:] == run.network.preprocessing.input_shape
    alone = trial_of(nnspec.compile("input 5x3 sequence -> rnn 4 -> dense 1", seed=2))
    assert alone.origin == "drawn samples" and alone.training is None and alone.samples.shape == (64, 5, 3)
