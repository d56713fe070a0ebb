"""Symbols: rows with a one, rows that are learnt, padding."""

import numpy as np
import pytest

import nnspec
from nnspec.runtime.layers import Mode, build
from nnspec.runtime.symbol_steps import first_unknown, padding_of
from nnspec.spec_lang.vocabulary.layers.embedding import Embed, OneHot
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape


def test_onehot_puts_a_one_at_each_symbol_and_nothing_at_padding() -> None:
    y, _ = build(OneHot(vocab=3), Shape((3,)), {})(np.array([[2.0, 0.0, -1.0]]), Mode())
    assert y.tolist() == [[[0, 0, 1], [1, 0, 0], [0, 0, 0]]]


def test_embed_looks_rows_up_and_adds_the_gradients_of_equal_symbols() -> None:
    weight = np.arange(6.0).reshape(3, 2)
    y, backward = build(Embed(units=2, vocab=3), Shape((4,)), {"weight": weight})(
        np.array([[2.0, 0.0, 2.0, -1.0]]), Mode()
    )
    assert y.tolist() == [[[4, 5], [0, 1], [4, 5], [0, 0]]]
    _, gradients = backward(np.ones_like(y))
    assert gradients["weight"].tolist() == [[1, 1], [0, 0], [2, 2]]


def test_padding_is_what_stands_behind_the_last_symbol() -> None:
    x = np.array([[1, 0, 2], [1, -1, -1], [-1, -1, -1], [-1, 0, -1]])
    assert padding_of(x).tolist() == [0, 2, 3, 1]


def test_what_is_neither_a_symbol_nor_padding_is_found() -> None:
    assert first_unknown(np.array([[0, 2, -1]]), 3) is None
    assert [first_unknown(np.array([[0, 1], [1, bad]]), 3) for bad in (3, -2, 0.5)] == [(1, 1)] * 3


@pytest.mark.parametrize("first", ["onehot vocab=3", "embed 2 vocab=3"])
def test_a_symbol_that_the_network_does_not_know_is_told_with_its_place(first: str) -> None:
    network = nnspec.compile(f"input 3\n{first} -> rnn 2 -> dense 2 softmax")
    x = np.array([[0, 1, -1], [0, 5, 1]])
    said = "sample 1 has 5 at step 1, both counted from 0: symbols are whole numbers from 0 to 2, and -1 after the end"
    with pytest.raises(nnspec.DataError, match=said):
        network.predict(x)
    with pytest.raises(nnspec.DataError, match=said):
        network.loss_and_gradients(x, [0, 1])
    with pytest.raises(nnspec.DataError, match=said):
        nnspec.train(f"{first} -> rnn 2 -> dense 2 softmax", data=(x, [0, 1]))
    with pytest.raises(nnspec.DataError, match="samples differ in length"):
        network.predict([[0, 1, 2], [0, 1]])


def test_the_vocabulary_is_the_datas_where_the_layer_gives_none() -> None:
    shape = Shape((4,), symbols=27)
    assert OneHot().completed(shape).vocab == 27
    assert Embed(units=2, vocab=30).completed(shape).vocab == 30
    with pytest.raises(Misfit, match="size of the vocabulary"):
        OneHot().output_shape(Shape((4,)))
    with pytest.raises(Misfit, match="onehot reads symbols"):
        OneHot(vocab=3).output_shape(Shape((4, 2)))
