"""nnspec/cli/format.py: numbers and tables for people."""

from nnspec.cli.format import format_count, format_metric, format_shape, format_table


def test_a_share_of_samples_is_told_in_per_cent_and_other_metrics_in_digits() -> None:
    assert format_metric("accuracy", 0.97125) == "97.12 %"
    assert format_metric("validation_top3", 1.0) == "100.00 %"
    assert format_metric("test_f1", 0.97128) == "0.9713"
    assert format_metric("loss", 1234.56) == "1235"
    assert format_metric("rmse", 0.000123456) == "0.0001235"


def test_one_thing_is_no_things() -> None:
    assert [format_count(n, "sample") for n in (0, 1, 1000)] == ["0 samples", "1 sample", "1,000 samples"]


def test_the_shape_of_a_single_number_is_1() -> None:
    assert format_shape((28, 28, 1)) == "28x28x1"
    assert format_shape(()) == "1"


def test_a_table_sets_numbers_flush_right_and_ends_no_line_in_spaces() -> None:
    drawn = format_table([("name", "n", "x"), ("longer name", "12,000", "")], right=(1,), indent="")
    assert drawn == "name              n  x\nlonger name  12,000"
