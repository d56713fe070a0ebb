"""Names, memory and the sample's shape."""

import os
from pathlib import Path

import pytest

from nnspec.spec_lang.check import cross_checks as ends
from nnspec.spec_lang.vocabulary.shape import Shape


@pytest.mark.parametrize(
    ("given", "known", "same"),
    [
        ((28, 28), (28, 28, 1), True),
        ((28, 28, 1), (28, 28, 1), True),
        ((784,), (28, 28, 1), True),
        ((4,), (4,), True),
        ((28, 28, 3), (28, 28, 1), False),
        ((28, 27), (28, 28, 1), False),
        ((14, 56), (28, 28, 1), False),
        ((5,), (4,), False),
    ],
)  # fmt: skip
def test_an_input_line_means_the_data_s_shape_or_not(
    given: tuple[int, ...], known: tuple[int, ...], same: bool
) -> None:
    assert ends.same_sample(Shape(given), known) == same


def test_bytes_are_told_in_units_that_people_use() -> None:
    told = {count: ends.in_bytes(count) for count in (0, 999, 1000, 25_300_000_000, 3e15, 7e20)}
    assert list(told.values()) == ["0 bytes", "999 bytes", "1.0 kB", "25.3 GB", "3 PB", "700,000 PB"]
    assert ends.in_bytes(10**200).endswith(" PB")


def test_memory_is_the_machine_s_or_less_where_a_container_has_less(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = {"/sys/fs/cgroup/memory.max": "1000000\n"}

    def read(path: Path) -> str:
        if str(path) not in limits:
            raise FileNotFoundError
        return limits[str(path)]

    monkeypatch.setattr(Path, "read_text", read)
    assert ends.physical_memory() == 1_000_000
    limits["/sys/fs/cgroup/memory.max"] = "max\n"
    assert ends.physical_memory() == machine
    limits.clear()
    assert ends.physical_memory() == machine


def test_memory_that_no_one_tells_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sysconf")
    assert ends.physical_memory() is None
