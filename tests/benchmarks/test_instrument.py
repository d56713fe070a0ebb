from typing import Any

import numpy as np
import pytest

from benchmarks.instrument import BOOKS, with_clocks

TEXT = '''def lane(given):
    """A lane."""
    a = np.ones((2, 3))
    out = np.empty((2, 2))

    def step(rates):
        # the product
        np.dot(a, a.T, out=out)
        for rate in rates:
            # the loop
            np.multiply(out, rate, out=out)
        return out.sum()

    return step
'''


def made(text: Any) -> Any:
    space: dict[str, Any] = {"np": np}
    exec(text, space)
    return space["lane"](None)


@pytest.fixture
def watched() -> Any:
    BOOKS.clear()
    step = made(with_clocks(TEXT))
    (book,) = BOOKS
    return step, book


def test_a_program_with_clocks_computes_the_same(watched: Any) -> None:
    step, _ = watched
    assert step([2.0, 3.0]) == made(TEXT)([2.0, 3.0])


def test_every_line_is_counted_as_often_as_it_runs(watched: Any) -> None:
    step, book = watched
    step([1.0, 1.0, 1.0])
    assert book.calls == [1, 3]
    assert all(spent > 0 for spent in book.spent)


def test_a_line_belongs_to_the_comment_above_it(watched: Any) -> None:
    _, book = watched
    assert [line.part for line in book.lines] == ["the product", "the loop"]
    assert book.lines[0].text == "np.dot(a, a.T, out=out)"


def test_the_rate_of_a_product_counts_its_operations_and_of_another_line_the_numbers_it_writes(watched: Any) -> None:
    step, book = watched
    step([1.0])
    assert book.rate(0, 24.0) == "1.0 GFLOP/s"
    assert book.rate(1, 4.0) == "1.00 G numbers/s"


def test_a_cleared_book_begins_anew(watched: Any) -> None:
    step, book = watched
    step([1.0])
    book.clear()
    assert book.calls == [0, 0] and book.spent == [0, 0]


def test_waiting_for_the_other_lane_is_no_lines_time() -> None:
    text = "def lane(a):\n    def step():\n        b = 1\n        yield\n        yield b\n    return step\n"
    BOOKS.clear()
    step = made(with_clocks(text))
    assert list(step()) == [None, 1]
    assert [line.text for line in BOOKS[0].lines] == ["b = 1"]
