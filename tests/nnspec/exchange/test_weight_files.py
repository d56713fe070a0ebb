"""Files of weights: damaged and hostile ones are refused in words, and nothing of them is executed."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nnspec as package
from nnspec import ExchangeError
from nnspec.exchange.weights.files.safetensors import read_safetensors, write_safetensors
from nnspec.exchange.weights.importing import READERS, read_weights

NET = "input 3\ndense 2"
ARRAYS = {"0.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "0.bias": np.ones(2, np.float32)}


def tensors(header: Any, numbers: bytes = b"", size: int | None = None) -> bytes:
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return struct.pack("<Q", len(text) if size is None else size) + text + numbers


def entry(shape: list[int], first: int, last: int, kind: str = "F32") -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [first, last]}


def test_what_is_written_as_safetensors_is_read_again() -> None:
    content = write_safetensors(ARRAYS, {"format": "pt"})
    stored = read_safetensors(content, "w")
    assert stored.framework == "torch"
    assert all(np.array_equal(stored.arrays[name], array) for name, array in ARRAYS.items())
    assert struct.unpack("<Q", content[:8])[0] % 8 == 0


def test_half_precision_is_read() -> None:
    values = np.array([1.5, -2.0], np.float32)
    upper = (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()
    stored = read_safetensors(tensors({"w": entry([2], 0, 4, "BF16")}, upper), "w")
    assert stored.arrays["w"].tolist() == [1.5, -2.0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a safetensors file, or it is cut off"),
        (tensors({}, size=2**60), "is not a safetensors file, or it is cut off"),
        (tensors(b"[" * 5000), "its header is not a JSON object"),
        (tensors(b'{"a":1,"a":2}'), "its header is not a JSON object with each tensor once"),
        (tensors({"w": entry([2**40], 0, 2**42)}), "the file is cut off"),
        (tensors({"w": entry([4], 0, 8)}, b"x" * 8), "has 8 bytes, and its shape needs 16"),
        (tensors({"w": entry([-1], 0, 8)}, b"x" * 8), "has no type, shape and place"),
        (tensors({"w": entry([2], 0, 8, "F8_E4M3")}, b"x" * 8), "is of type 'F8_E4M3'; save it as float32"),
        (tensors({"w": entry([2], 4, 12)}, b"x" * 12), "begin at byte 4, not at 0"),
        (tensors({"w": entry([2], 0, 8)}, b"x" * 9), "1 bytes follow the last tensor"),
        (tensors({"a\nb": entry([2], 0, 8)}, b"x" * 8), r"'a\nb' is not the name of an array"),
    ],
)
def test_a_damaged_safetensors_file_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(ExchangeError) as caught:
        read_safetensors(content, "w.safetensors")
    assert said in str(caught.value)


class Harm:
    """What a pickle may hold: a call that its reader makes."""

    def __reduce__(self) -> Any:
        return Path("harmed").touch, ()


def test_an_npz_with_objects_is_refused_and_they_are_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "w.npz", a=np.array([Harm()], dtype=object))
    with pytest.raises(ExchangeError, match="holds Python objects, which are not read"):
        read_weights(tmp_path / "w.npz")
    assert not (tmp_path / "harmed").exists()


def npy(shape: tuple[int, ...], numbers: bytes = b"") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.getvalue() + numbers


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("w.npy", npy((2**40,)), "has 0 bytes, and its shape needs"),
        ("w.npy", b"nothing", "is not an array"),
        ("w\x07.npy", npy((0,)), r"'w\x07' is not the name of an array"),
        ("w.exe", npy((0,)), "w.exe is not an array"),
    ],
)
def test_an_npz_that_is_not_one_is_refused(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as archive:
        archive.writestr(name, content)
    with pytest.raises(ExchangeError) as caught:
        read_weights(tmp_path / "w.npz")
    assert said in str(caught.value)


def test_a_zip_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", npy((2**24 + 2**18,), bytes(2**26 + 2**20)))
    with pytest.raises(ExchangeError, match="more than a file of"):
        read_weights(tmp_path / "w.npz")


@pytest.mark.parametrize("suffix", sorted(READERS))
def test_noise_and_beginnings_of_a_file_are_refused_in_words(suffix: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    file = tmp_path / f"w{suffix}"
    np.savez(tmp_path / "whole.npz", *ARRAYS.values())
    whole = write_safetensors(ARRAYS, {}) if suffix == ".safetensors" else (tmp_path / "whole.npz").read_bytes()
    for content in (b"", b"\x89HDF\r\n\x1a\n", b"PK\x03\x04", random.bytes(300), whole[:-7], whole[: len(whole) // 2]):
        file.write_bytes(content)
        with pytest.raises(ExchangeError):
            package.import_weights(NET, file)


def test_a_pickle_is_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pt").write_bytes(pickle.dumps({"0.weight": Harm()}))
    with pytest.raises(ExchangeError, match="safetensors"):
        read_weights(tmp_path / "w.pt")
    assert not (tmp_path / "harmed").exists()


def h5(path: Path, make: Callable[[h5py.File], Any]) -> Path:
    with h5py.File(path, "w") as file:
        make(file)
    return path


def variables(file: h5py.File, kernel: Any, bias: Any) -> None:
    group = file.create_group("layers/dense/vars")
    group["0"], group["1"] = kernel, bias


def test_a_file_of_keras_weights_is_read(tmp_path: Path) -> None:
    path = h5(tmp_path / "w.weights.h5", lambda file: variables(file, np.ones((3, 2)), np.zeros(2)))
    assert package.import_weights(NET, path).layout == "keras"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda f: f.create_dataset("layers/dense/vars/0", (2**40,), "f4"), "more than a file of"),
        (lambda f: f.create_dataset("layers/dense/vars/0", data="a text"), "is not an array of numbers"),
        (lambda f: f.create_group("a").__setitem__("b", h5py.ExternalLink("o.h5", "/a")), "a link to elsewhere"),
        (lambda f: f.create_group("a").__setitem__("b", h5py.SoftLink("/a")), "a link to elsewhere"),
        (lambda f: f.create_group("a").__setitem__("b", f["a"]), "nested in a circle"),
        (lambda f: f.create_dataset("x", data=[1.0]), "is not a file of Keras's weights"),
        (lambda f: f.attrs.update(layer_names=["dense"]), "is not an HDF5 file of Keras, or it is damaged"),
        (lambda f: f.create_dataset("a/vars/0", (2,), "f4", external=[("/etc/passwd", 0, 8)]), "in another file"),
    ],
)  # fmt: skip
def test_an_hdf5_file_that_is_no_weights_is_refused(
    make: Callable[[h5py.File], Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ExchangeError) as caught:
        read_weights(h5(tmp_path / "w.h5", make))
    assert said in str(caught.value)


def test_a_checkpoint_of_nnspec_is_named_as_one(tmp_path: Path) -> None:
    package.compile(NET).save(tmp_path / "net.h5")
    with pytest.raises(ExchangeError, match="is a checkpoint of nnspec"):
        read_weights(tmp_path / "net.h5")


def test_an_hdf5_file_with_any_byte_changed_is_read_or_refused_in_words(tmp_path: Path) -> None:
    whole = h5(tmp_path / "w.h5", lambda file: variables(file, np.ones((3, 2)), np.zeros(2))).read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        content = bytearray(whole)
        for place in random.integers(0, 900, 3):
            content[place] = random.integers(256)
        (tmp_path / "w.h5").write_bytes(content)
        try:
            package.import_weights(NET, tmp_path / "w.h5")
        except ExchangeError:
            refused += 1
    assert refused > 20
