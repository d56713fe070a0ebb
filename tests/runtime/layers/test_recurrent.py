"""Recurrent layers: steps by hand, carried states, padding."""

import numpy as np
import pytest

from nnspec.runtime.gradient_check import gradient_check
from nnspec.runtime.layers import Mode, build
from nnspec.spec_lang.vocabulary.layers.recurrent import Gru, Lstm, Recurrent, Rnn
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape
from tests.support.strategies import Array, Case

SHAPE = Shape((4, 3), sequence=True)
WORDS = [Rnn, Lstm, Gru]
EVERY = {"return": "sequence"}


def arrays_of(word: Recurrent) -> dict[str, Array]:
    return Case("", word, SHAPE).arrays(np.random.default_rng(1))


def samples(batch: int = 2, time: int = 4) -> Array:
    return np.random.default_rng(2).normal(size=(batch, time, 3))


def test_an_rnn_is_one_line_again_and_again() -> None:
    word = Rnn(units=2, **EVERY)
    arrays, x = arrays_of(word), samples()
    y, _ = build(word, SHAPE, arrays)(x, Mode())
    h = np.zeros((2, 2))
    for t in range(4):
        h = np.tanh(x[:, t] @ arrays["input_weight"] + h @ arrays["hidden_weight"] + arrays["bias"])
        np.testing.assert_allclose(y[:, t], h)


@pytest.mark.parametrize("cls", WORDS)
def test_last_is_the_last_of_the_sequence_and_the_first_for_one_that_reads_from_the_end(cls: type[Recurrent]) -> None:
    for reverse, place in ((False, -1), (True, 0)):
        last, every = cls(units=2, reverse=reverse), cls(units=2, reverse=reverse, **EVERY)
        arrays, x = arrays_of(last), samples()
        y, _ = build(every, SHAPE, arrays)(x, Mode())
        np.testing.assert_array_equal(build(last, SHAPE, arrays)(x, Mode())[0], y[:, place])


@pytest.mark.parametrize("cls", WORDS)
def test_a_carried_state_makes_two_halves_one_whole(cls: type[Recurrent]) -> None:
    word = cls(units=2, **EVERY)
    arrays, x = arrays_of(word), samples(time=8)
    whole, _ = build(word, Shape((8, 3), sequence=True), arrays)(x, Mode())
    forward = build(word, SHAPE, arrays)
    mode = Mode(states={"one": np.zeros((2, word.carries(SHAPE)))}).of("one")
    halves = [forward(x[:, :4], mode)[0], forward(x[:, 4:], mode)[0]]
    np.testing.assert_allclose(np.concatenate(halves, axis=1), whole, rtol=1e-13)


@pytest.mark.parametrize("cls", WORDS)
def test_gradients_stop_at_the_state_that_was_carried_in(cls: type[Recurrent]) -> None:
    word = cls(units=2, **EVERY)
    arrays, x = arrays_of(word), samples()
    begun = np.random.default_rng(3).normal(size=(2, word.carries(SHAPE)))
    d_y = np.random.default_rng(4).normal(size=(2, 4, 2))

    def value(weight: Array) -> float:
        mode = Mode(state=begun.copy())
        return float((build(word, SHAPE, {**arrays, "hidden_weight": weight})(x, mode)[0] * d_y).sum())

    _, gradients = build(word, SHAPE, arrays)(x, Mode(state=begun.copy()))[1](d_y)
    assert gradient_check(value, arrays["hidden_weight"], gradients["hidden_weight"], "hidden_weight") < 1e-6


@pytest.mark.parametrize("options", [{}, {"reverse": True}, {"bidirectional": True}], ids=str)
@pytest.mark.parametrize("cls", WORDS)
def test_padding_changes_neither_states_nor_gradients(cls: type[Recurrent], options: dict[str, bool]) -> None:
    """Each sequence by itself, at its own length, gives what it gives in a padded batch, whatever the padding holds."""
    word, every = cls(units=2, **options), cls(units=2, **options, **EVERY)
    arrays, x, padding = arrays_of(word), samples(3), np.array([0, 2, 3])
    d_last = np.random.default_rng(5).normal(size=(3, word.output_shape(SHAPE)[-1]))
    d_every = np.random.default_rng(6).normal(size=(3, 4, d_last.shape[1]))
    d_every *= (np.arange(4) < 4 - padding[:, None])[..., None]
    last, last_back = build(word, SHAPE, arrays)(x, Mode(padding=padding))
    steps, steps_back = build(every, SHAPE, arrays)(x, Mode(padding=padding))
    sums: dict[str, Array] = {}
    for i, length in enumerate(4 - padding):
        short = Shape((length, 3), sequence=True)
        alone = x[i : i + 1, :length]
        y, back = build(word, short, arrays)(alone, Mode())
        np.testing.assert_allclose(last[i : i + 1], y, rtol=1e-13)
        d_alone, gradients = back(d_last[i : i + 1])
        np.testing.assert_allclose(last_back(d_last)[0][i, :length], d_alone[0], rtol=1e-12, atol=1e-15)
        for name, gradient in gradients.items():
            sums[name] = sums.get(name, 0) + gradient
        y, back = build(every, short, arrays)(alone, Mode())
        np.testing.assert_allclose(steps[i : i + 1, :length], y, rtol=1e-13)
        d_alone, _ = back(d_every[i : i + 1, :length])
        np.testing.assert_allclose(steps_back(d_every)[0][i, :length], d_alone[0], rtol=1e-12, atol=1e-15)
        assert not last_back(d_last)[0][i, length:].any()
    for name, gradient in last_back(d_last)[1].items():
        np.testing.assert_allclose(gradient, sums[name], rtol=1e-12, atol=1e-14)


def test_padding_leaves_a_carried_state_where_the_sequence_ended() -> None:
    word = Lstm(units=2)
    arrays, x = arrays_of(word), samples(1)
    padded, short = np.zeros((1, 4)), np.zeros((1, 4))
    build(word, SHAPE, arrays)(x, Mode(padding=np.array([1]), state=padded))
    build(word, Shape((3, 3)), arrays)(x[:, :3], Mode(state=short))
    np.testing.assert_allclose(padded, short, rtol=1e-13)


def test_what_is_no_sequence_is_told_with_what_to_write() -> None:
    with pytest.raises(Misfit, match="rnn reads a sequence, time x features, and 7 is a row of numbers"):
        Rnn(units=2).output_shape(Shape((7,)))
    with pytest.raises(Misfit, match="reads from both ends already"):
        Gru(units=2, reverse=True, bidirectional=True).output_shape(SHAPE)


def test_only_what_reads_forwards_carries_a_state() -> None:
    assert Lstm(units=3).carries(SHAPE) == 6
    assert Rnn(units=3, reverse=True).carries(SHAPE) == 0
    assert Gru(units=3, bidirectional=True).carries(SHAPE) == 0


def test_a_mask_drops_whole_columns_of_a_sequence_and_nothing_at_inference() -> None:
    """Where p of the inputs are dropped and all weights of h are 0, a dropped input changes no step."""
    word = Rnn(units=1, input_dropout=0.5, **EVERY)
    arrays = {"input_weight": np.ones((3, 1)), "hidden_weight": np.zeros((1, 1)), "bias": np.zeros(1)}
    drawn = np.array([[[0.4, 0.5, 0.9]]], np.float32)
    x = samples(1)
    y, _ = build(word, SHAPE, arrays)(x, Mode(training=True, drawn=drawn))
    np.testing.assert_allclose(y[..., 0], np.tanh(2 * x[..., 1:].sum(-1)))
    plain = build(Rnn(units=1, **EVERY), SHAPE, arrays)(x, Mode())[0]
    np.testing.assert_array_equal(build(word, SHAPE, arrays)(x, Mode())[0], plain)


def test_dropout_between_layers_of_which_there_is_one_is_refused() -> None:
    with pytest.raises(Misfit, match="acts between stacked layers") as caught:
        Gru(units=2, dropout=0.3).output_shape(SHAPE)
    assert caught.value.help is not None and "recurrent_dropout=0.3" in caught.value.help
