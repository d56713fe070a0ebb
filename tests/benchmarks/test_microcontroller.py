"""Networks in C predict on a Cortex-M3 and on a Cortex-M4 with a floating-point unit what they predict here."""

from pathlib import Path

import numpy as np
import pytest

import nnspec
from benchmarks.microcontroller.__main__ import measured
from benchmarks.microcontroller.board import BOARDS, Board, built, emulated, missing
from nnspec.exchange.export import export
from nnspec.exchange.ways.c import toolchain
from nnspec.runtime.infer.drawn import drawn_samples
from tests.nnspec.exchange.ways.test_c import shaken

pytestmark = pytest.mark.skipif(
    missing() is not None or toolchain.compiler() is None, reason="no compiler for Cortex-M, or no QEMU"
)

NET = "input 8x8x2 -> conv 3x3 x4 relu -> maxpool 2 -> batchnorm -> flatten -> dense 6 tanh -> dense 3 softmax"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
@pytest.mark.parametrize("int8", [False, True], ids=["float32", "int8"])
def test_the_self_test_holds_on_the_board(board: Board, int8: bool, tmp_path: Path) -> None:
    network = shaken(nnspec.compile(NET, seed=1))
    samples = drawn_samples(network, 64)
    export(network, "c", tmp_path / "net", samples, {"int8": True} if int8 else {}, samples)
    program = built(board, [tmp_path / "net.c"], tmp_path / "it.elf", "-DNET_SELFTEST")
    done = emulated(board, program)
    assert done.returncode == 0 and "net: the largest error is" in done.stdout


def test_the_self_test_fails_on_the_board_where_a_weight_is_another(tmp_path: Path) -> None:
    network = shaken(nnspec.compile("input 4 -> dense 3 softmax", seed=1))
    export(network, "c", tmp_path / "net", drawn_samples(network, 64), {})
    text = (tmp_path / "net.c").read_text()
    (tmp_path / "net.c").write_text(text.replace("dense1_bias[3] = {\n    ", "dense1_bias[3] = {\n    1"))
    program = built(BOARDS[0], [tmp_path / "net.c"], tmp_path / "it.elf", "-DNET_SELFTEST")
    assert emulated(BOARDS[0], program).returncode == 1


def test_a_network_takes_the_flash_of_its_weights_and_instructions_of_its_products(tmp_path: Path) -> None:
    network = nnspec.compile("input 100 -> dense 50 -> dense 2", seed=1)
    samples = drawn_samples(network, 4)
    export(network, "c", tmp_path / "net", samples, {})
    found = measured(BOARDS[1], tmp_path, "net", np.asarray(samples[0], np.float32), 2)
    assert 4 * 5152 < found.flash < 4 * 5152 + 2000
    assert 200 <= found.ram < 300
    assert 5100 < found.instructions < 20 * 5100
