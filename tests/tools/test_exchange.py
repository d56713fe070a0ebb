from tools import exchange


def test_the_table_of_what_goes_where_is_what_the_ways_out_say() -> None:
    page = exchange.HOME.read_text(encoding="utf-8")
    assert exchange.written(page) == page, "python -m tools.exchange"
    assert exchange.BEGIN + exchange.table() + exchange.END in page
