import pytest

from benchmarks.profile import Cost, Profile, data_for, format_profile, profile, request_of


@pytest.mark.parametrize(("name", "block"), [("W1", 64), ("W3-64", 1)])
def test_a_profile_has_every_line_of_the_planned_step_and_its_parts(name: str, block: int) -> None:
    found = profile(*data_for(request_of(name, None), "uint8"), seconds=0.01)
    assert found.block == block
    assert any("np.dot" in line.text for line in found.lines)
    assert {"optimizer", "the loss"} <= set(found.parts())
    assert all(line.microseconds >= 0 for line in found.lines)


def test_another_batch_can_be_profiled() -> None:
    found = profile(*data_for(request_of("W3-64", 16), "float32"), seconds=0.01)
    assert found.batch == 16


def test_the_text_has_the_parts_in_order_and_the_costly_lines_first() -> None:
    lines = (Cost("dense1", "np.dot(a, b)", 1.0, 1.0, "9.0 GFLOP/s"), Cost("the loss", "np.exp(z)", 3.0, 1 / 32, ""))
    text = format_profile(Profile(1, (1,), 32, 8.0, 5.0, 2.0, lines), most=2)
    assert text.startswith("a step of 1 takes 8.0 µs (blocks of 32 steps): program 5.0, optimizer 2.0, the rest 1.0")
    assert text.index("dense1") < text.index("the loss") < text.index("np.exp(z)") < text.index("np.dot(a, b)")
    assert "1/32" in text and "37.5 %" in text
