"""Symbols: rows with a one, rows that are learnt, padding."""

import numpy as np
import pytest

from runtime.layers import Mode, build
from runtime.layers.symbols import padding_of
from spec_lang.layers.symbols import Embed, OneHot
from spec_lang.shape import Misfit, Shape


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


def test_the_vocabulary_is_the_datas_where_the_layer_gives_none() -> None:
    shape = Shape((4,), symbols=27)
    assert OneHot().completed(shape).vocab == 27
    assert Embed(units=2, vocab=30).completed(shape).vocab == 30
    with pytest.raises(Misfit, match="how many symbols"):
        OneHot().output_shape(Shape((4,)))
    with pytest.raises(Misfit, match="onehot reads symbols"):
        OneHot(vocab=3).output_shape(Shape((4, 2)))
