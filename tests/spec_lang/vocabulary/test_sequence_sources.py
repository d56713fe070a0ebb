"""Data over time: what is known of them before a byte is read."""

from tests.support.spec_findings import errors_of, spec_of


def test_the_shape_of_a_window_on_the_sine_is_known_so_that_shapes_are_checked_at_once() -> None:
    spec = spec_of("rnn 4 -> dense 1\ndata sine window=20")
    assert spec.input == (20, 1)
    assert spec.output_shape == (1,)
    (error,) = errors_of("rnn 4 -> conv 3x3 x2 -> dense 1\ndata sine")
    assert error.code == "E301"


def test_an_input_line_and_the_window_of_a_sine_must_agree() -> None:
    (error,) = errors_of("input 12x1\nrnn 4 -> dense 1\ndata sine window=10")
    assert error.message == "input is 12x1, and a sample of the data is 10x1"


def test_the_length_of_a_text_and_the_columns_of_a_table_are_not_known_before_they_are_read() -> None:
    assert spec_of('onehot -> rnn 2 return=sequence -> dense 3 softmax\ndata text "t.txt"').input is None
    assert spec_of('rnn 2 -> dense 1\ndata csv "t.csv" target=a window=5').input is None
