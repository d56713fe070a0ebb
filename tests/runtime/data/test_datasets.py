"""The data sets known by name."""

from pathlib import Path

import pytest

from nnspec.runtime.data import DataError, fetch, missing
from nnspec.runtime.data.datasets import datasets
from nnspec.spec_lang.vocabulary import data as words
from nnspec.spec_lang.vocabulary.data_tables import Csv
from tests.runtime.data.helpers import write_mnist


def test_all_are_listed_with_what_they_hold_and_where_they_are(bare_machine: Path) -> None:
    listed = {dataset.name: dataset for dataset in datasets()}
    assert list(listed) == ["dinos", "mnist", "mnist_sample", "noisy_digits"]
    assert (listed["mnist"].train, listed["mnist"].test, listed["mnist"].find()) == (60_000, 10_000, None)
    path = listed["mnist_sample"].find()
    assert path is not None and path.is_file() and listed["mnist_sample"].shape == (28, 28, 1)
    assert all(dataset.about.endswith(".") for dataset in listed.values())


def test_a_data_set_is_found_once_it_is_there(bare_machine: Path) -> None:
    write_mnist(bare_machine, suffix="")
    assert {d.name: d for d in datasets()}["mnist"].find() == bare_machine == fetch("mnist")


def test_what_comes_with_the_package_needs_no_fetching(bare_machine: Path) -> None:
    assert fetch("mnist_sample").name == "mnist_sample.npz"


@pytest.mark.parametrize(
    ("name", "said"),
    [("minst", "did you mean mnist"), ("cifar", "there is dinos, mnist, mnist_sample or noisy_digits")],
)
def test_an_unknown_name_is_answered_with_a_known_one(name: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as error:
        fetch(name)
    assert error.value.exit_code == 2


def test_what_a_word_names_and_is_not_on_this_machine_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NNSPEC_DATA", raising=False)
    monkeypatch.setenv("NNSPEC_HOME", str(tmp_path))
    assert missing(words.Mnist(), tmp_path) == "mnist is not on this machine; run nnspec data fetch mnist"
    assert missing(words.MnistSample(), tmp_path) is None
    (tmp_path / "here.csv").write_text("")
    assert missing(Csv(path="here.csv", target="y"), tmp_path) is None
    assert "there.csv" in str(missing(Csv(path="here.csv", target="y", test="there.csv"), tmp_path))
