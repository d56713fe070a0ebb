"""What decides the bits of a result: recorded, probed, and compared before a run goes on."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

from nnspec import checkpoints
from nnspec.runtime.train import environment as recorded
from nnspec.runtime.train.environment import EXACT, cpu_features, differences, environment, probe
from tests.support.commands import at_step, child_command, child_environment, nnspec, write_data, write_spec


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that was stopped after step 5 of 10."""
    folder = tmp_path_factory.mktemp("stopped")
    write_data(folder)
    write_spec(folder, "dense 5 tanh -> dense 3 softmax", "optimizer sgd lr=0.1", "schedule constant")
    with at_step(5):
        assert nnspec(folder, "train", "net.nnspec", "--out", "run").exit_code == 130
    return folder


def test_a_checkpoint_records_all_that_decides_the_bits(stopped: Path) -> None:
    assert checkpoints.read(stopped / "run" / "last.h5").meta["environment"] == environment()
    assert set(EXACT) <= environment().keys()


def test_going_on_with_other_simd_kernels_is_refused_by_name(stopped: Path) -> None:
    features = cpu_features().split()
    if features == ["none"]:
        pytest.skip("this NumPy uses nothing beyond its baseline here")
    done = subprocess.run(
        child_command("resume", "run"),
        cwd=stopped,
        env=child_environment(NPY_DISABLE_CPU_FEATURES=" ".join(features), PYTHONWARNINGS="ignore"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"cpu_features was {cpu_features()}, is none" in done.stderr and "--allow-inexact" in done.stderr


def test_a_changed_probe_is_a_difference_though_every_name_is_the_same() -> None:
    now = environment()
    assert differences({**now, "probe": "0" * 16}, now) == [f"probe was {'0' * 16}, is {probe()}"]


def test_the_probe_sees_the_last_bit_of_each_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    before, results = probe(), recorded._results
    for place in range(len(results(np.float32))):

        def changed(dtype: type, place: int = place) -> list[np.ndarray]:
            found = [np.array(result) for result in results(dtype)]
            found[place].reshape(-1).view(f"u{found[place].itemsize}")[-1] ^= 1
            return found

        monkeypatch.setattr(recorded, "_results", changed)
        assert probe.__wrapped__() != before


def test_what_an_older_file_does_not_record_is_not_compared() -> None:
    now = environment()
    old: dict[str, object] = {key: value for key, value in now.items() if key not in ("cpu_features", "libm", "probe")}
    assert differences(old, now) == []
    assert differences({**old, "numpy": "1.0"}, now) == [f"numpy was 1.0, is {now['numpy']}"]


class Listed(NamedTuple):
    """A library as threadpoolctl lists it."""

    filepath: str
    version: str | None
    user_api: str = "blas"

    def info(self) -> dict[str, str | None]:
        return {"internal_api": "openblas", "version": self.version}


@pytest.mark.parametrize("first", ["scipy.libs/libscipy_openblas.so", "sklearn/.libs/libblas.so"])
def test_numpys_blas_is_recorded_whatever_another_package_has_loaded(
    first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Path(np.__file__).resolve().parents[1]
    own = Listed(str(site / "numpy.libs" / "libopenblas.so"), "own")
    other, system = Listed(str(site / first), "other"), Listed("/usr/lib/libblas.so", "system")
    openmp = Listed(str(site / "numpy.libs" / "libgomp.so"), None, "openmp")
    monkeypatch.setattr(recorded, "_numpys_blas", recorded._numpys_blas.__wrapped__)
    for listed, expected in (([other, openmp, own], "own"), ([other, system], "system"), ([other], "other")):
        controller = SimpleNamespace(lib_controllers=listed)
        monkeypatch.setattr(recorded, "ThreadpoolController", lambda controller=controller: controller)
        assert environment()["blas_version"] == expected
    monkeypatch.setattr(recorded, "ThreadpoolController", lambda: SimpleNamespace(lib_controllers=[]))
    assert environment()["blas"] == "unknown"
