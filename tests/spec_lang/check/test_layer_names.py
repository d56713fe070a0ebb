"""Names of layers."""

from nnspec.spec_lang.check.layer_names import Names
from nnspec.spec_lang.source import Source, Span

HERE, THERE = (Span(Source("a", "ab"), place, place + 1) for place in (0, 1))


def test_names_are_counted_by_kind_behind_their_prefix() -> None:
    names = Names("res1/")
    assert [names.counted(kind, HERE) for kind in ("conv", "conv", "relu")] == [
        "res1/conv1",
        "res1/conv2",
        "res1/relu1",
    ]


def test_a_given_name_is_numbered_from_its_second_time_and_belongs_to_one_line() -> None:
    names = Names()
    assert [names.given("stem", HERE) for _ in range(3)] == ["stem", "stem2", "stem3"]
    assert names.given("stem", THERE) is None


def test_counted_names_pass_over_given_ones() -> None:
    names = Names()
    names.given("conv1", HERE)
    assert names.counted("conv", THERE) == "conv2"
