"""What can be asked of data once they are read."""

import numpy as np
import pytest

import nnspec
from nnspec.runtime.data import Data, DataError, data_from_arrays, load_data
from nnspec.spec_lang.vocabulary.data_tables import Csv

X = np.arange(12.0).reshape(6, 2)


def labelled(y: object, x: np.ndarray = X) -> Data:
    return data_from_arrays(x, y, classification=True, split=(2, 1))


def test_counts_are_by_class_in_each_split() -> None:
    counts = labelled(["b", "a", "b", "b", "a", "b"]).counts()
    assert set(counts) == {"train", "validation"}
    assert {name: counts["train"][name] + counts["validation"][name] for name in "ab"} == {"a": 2, "b": 4}


@pytest.mark.parametrize(
    "other",
    [
        (X + 1, [0, 1, 0, 1, 0, 1]),
        (X, [0, 1, 0, 1, 1, 1]),
        (X.astype(np.float32), [0, 1, 0, 1, 0, 1]),
        (X.reshape(6, 2, 1), [0, 1, 0, 1, 0, 1]),
        (X, ["0", "b", "0", "b", "0", "b"]),
    ],
)
def test_the_digest_tells_other_values_types_shapes_and_names(other: tuple[np.ndarray, object]) -> None:
    data = labelled([0, 1, 0, 1, 0, 1])
    assert labelled(other[1], other[0]).digest != data.digest == labelled([0, 1, 0, 1, 0, 1]).digest


def test_the_digest_does_not_depend_on_the_layout_in_memory() -> None:
    y = [0, 1, 0, 1, 0, 1]
    assert data_from_arrays(np.asfortranarray(X), y, classification=True).digest == (
        data_from_arrays(X, y, classification=True).digest
    )


def test_labels_that_skip_numbers_are_names_where_the_network_has_as_many_outputs() -> None:
    data = data_from_arrays(X, [1, 5, 9, 1, 5, 9], classification=True)
    named = data.require_labels_for(3)
    assert named.preprocessing.classes == ("1", "5", "9") and named.train.targets.tolist() == [0, 1, 2, 0, 1, 2]
    assert "the labels of data are 1, 5 and 9, 3 of the 10 numbers from 0 to 9: these are the names" in named.notes[-1]
    assert named.digest != data.digest and named.require_labels_for(3) is named
    two = data_from_arrays(X, [1, 2, 1, 2, 1, 2], classification=True).require_labels_for(1)
    assert two.preprocessing.classes == ("1", "2") and two.train.targets.tolist() == [0, 1, 0, 1, 0, 1]


def test_labels_that_skip_numbers_are_numbers_where_the_network_has_an_output_for_each() -> None:
    data = data_from_arrays(X, [0, 1, 5, 1, 5, 5], classification=True)
    wide = data.require_labels_for(6)
    assert wide.train is data.train and "are 0, 1 and 5" in wide.warnings[0]


def test_a_stray_label_is_told_with_its_sample_and_no_wider_network() -> None:
    data = data_from_arrays(X, [0, 1, 0, 200, 0, 1], classification=True)
    said = (
        r"are 0, 1 and 200, 3 of the 201.*a single sample has 200 \(data, sample 3.*2 outputs: correct the labels, or"
    )
    with pytest.raises(DataError, match=said):
        data.require_labels_for(2)


def test_labels_without_gaps_are_numbers() -> None:
    data = data_from_arrays(X, [0, 1, 2, 0, 1, 2], classification=True)
    assert data.gaps is None and data.require_labels_for(2) is data


def test_other_data_are_seen_through_what_a_network_has_learnt(tmp_path: object) -> None:
    trained = table(tmp_path, "a,b,kind\n1,10,x\n2,20,y\n3,30,z\n").preprocessing
    other = table(tmp_path, "kind,c,b,a\nz,9,40,4\ny,9,50,5\n").fitted_to(trained)
    assert other.preprocessing is trained
    assert other.train.inputs.tolist() == [[4, 40], [5, 50]] and other.train.targets.tolist() == [2, 1]
    assert other.counts() == {"train": {"x": 0, "y": 1, "z": 1}}


def test_data_of_the_same_kind_are_the_same_data(tmp_path: object) -> None:
    data = table(tmp_path, "a,b,kind\n1,10,x\n2,20,y\n")
    assert data.fitted_to(data.preprocessing).digest == data.digest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,c,kind\n1,2,x\n", 'has no column "b"'),
        ("a,b,kind\n1,2,w\n", 'has the class "w", and the network knows x, y'),
    ],
)
def test_what_a_network_does_not_know_is_refused(tmp_path: object, text: str, said: str) -> None:
    trained = table(tmp_path, "a,b,kind\n1,10,x\n2,20,y\n").preprocessing
    with pytest.raises(DataError, match=said):
        table(tmp_path, text).fitted_to(trained)


def test_samples_of_another_shape_are_refused_by_a_network() -> None:
    trained = data_from_arrays(np.zeros((2, 3)), [0, 1], classification=True).preprocessing
    with pytest.raises(DataError, match="samples of 2 features were given, and the network takes 3"):
        labelled([0, 1, 0, 1, 0, 1]).fitted_to(trained)


def table(folder: object, text: str) -> Data:
    path = f"{folder}/table.csv"
    with open(path, "w") as file:
        file.write(text)
    return load_data(Csv(path=path, target="kind", split=(1, 0)), None, True)


def test_a_run_that_saves_nothing_computes_no_digest() -> None:
    data = labelled([0, 1, 0, 1, 0, 1])
    nnspec.train("dense 2 softmax\ntrain 1 epochs", data=data)
    assert "hex" not in vars(data.hashed) and len(data.digest) == 64 and "hex" in vars(data.hashed)
