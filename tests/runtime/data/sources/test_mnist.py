"""MNIST from a folder, the cache and a download: a local server plays the good and the bad ones."""

import gzip
import hashlib
import re
import socket
from pathlib import Path

import numpy as np
import pytest

from nnspec.runtime.data import DATASETS, Data, DataError, fetch, load_data
from nnspec.runtime.data.datasets import datasets
from nnspec.runtime.data.sources import mnist
from nnspec.spec_lang.vocabulary.data import Mnist
from tests.runtime.data.conftest import Server
from tests.runtime.data.helpers import digits, write_idx, write_mnist


def load() -> Data:
    return load_data(Mnist(split=(75, 25)), None, classification=True)


@pytest.fixture
def published(server: Server, bare_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A mirror with four small files, which count as the published ones."""
    for path in write_mnist(tmp_path / "published").iterdir():
        server.answers[path.name] = path.read_bytes()
        monkeypatch.setitem(mnist.FILES, path.stem, hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setenv("NNSPEC_MNIST_URL", server.url)
    return server


def assert_small_mnist(data: Data) -> None:
    assert {role: len(split) for role, split in data.splits()} == {"train": 30, "validation": 10, "test": 20}
    assert data.train.inputs.shape == (30, 28, 28, 1) and data.train.inputs.dtype == np.uint8
    assert data.name == "mnist" and data.preprocessing.classes == tuple("0123456789")
    assert data.test is not None and np.array_equal(data.test.inputs[..., 0], digits(20, 2)[0])


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("below", ["", "mnist"])
def test_a_folder_of_the_users_is_read_first(
    bare_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, below: str
) -> None:
    write_mnist(tmp_path / "own" / below, suffix=suffix)
    monkeypatch.setenv("NNSPEC_DATA", str(tmp_path / "own"))
    assert mnist.find_mnist() == tmp_path / "own" / below
    assert_small_mnist(load())
    assert not bare_machine.exists()


def test_the_dotted_names_of_the_originals_are_known(
    bare_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in write_mnist(tmp_path / "own", suffix="").iterdir():
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    monkeypatch.setenv("NNSPEC_DATA", str(tmp_path / "own"))
    assert_small_mnist(load())


def test_a_download_is_checked_kept_and_not_repeated(published: Server, bare_machine: Path) -> None:
    assert mnist.find_mnist() is None
    assert_small_mnist(load())
    assert sorted(published.asked) == sorted(published.answers)
    assert {path.name: path.read_bytes() for path in bare_machine.iterdir()} == published.answers
    assert fetch("mnist") == mnist.find_mnist() == bare_machine
    assert_small_mnist(load())
    assert len(published.asked) == 4


def test_a_damaged_file_in_the_cache_is_fetched_again_alone(published: Server, bare_machine: Path) -> None:
    fetch("mnist")
    published.asked.clear()
    damaged = bare_machine / "t10k-labels-idx1-ubyte.gz"
    damaged.write_bytes(damaged.read_bytes()[:-5])
    assert_small_mnist(load())
    assert published.asked == ["t10k-labels-idx1-ubyte.gz"]


def test_a_connection_that_ends_early_leaves_nothing_behind(published: Server, bare_machine: Path) -> None:
    name = "train-images-idx3-ubyte.gz"
    published.cut[name] = 1_000
    with pytest.raises(DataError, match="the connection ended before the file did") as error:
        load()
    assert f"{published.url}{name}" in str(error.value) and "NNSPEC_DATA" in str(error.value)
    assert list(bare_machine.iterdir()) == []


@pytest.mark.parametrize("content", [b"<html>sign in to this network</html>", b"", gzip.compress(b"other", mtime=0)])
def test_another_content_than_the_published_is_not_kept(published: Server, bare_machine: Path, content: bytes) -> None:
    published.answers["train-labels-idx1-ubyte.gz"] = content
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte\.gz is not the file that was published") as error:
        load()
    assert error.value.exit_code == 1
    assert [path.name for path in bare_machine.iterdir()] == ["train-images-idx3-ubyte.gz"]


def test_a_refused_connection_says_so_and_what_to_do(bare_machine: Path, refusing: str) -> None:
    with pytest.raises(DataError, match="the connection was refused") as error:
        fetch("mnist")
    said = str(error.value)
    assert f"{refusing}train-images-idx3-ubyte.gz" in said and "The package includes mnist_sample" in said
    assert error.value.exit_code == 2


def test_a_server_without_the_file_is_told_with_its_answer(published: Server) -> None:
    del published.answers["t10k-images-idx3-ubyte.gz"]
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz could not be downloaded: the server answered 404"):
        load()


def test_a_host_that_does_not_exist_is_told(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DataError, match="there is no connection to the server"):
        fetch("mnist")


def test_a_mirror_is_an_address_of_the_web(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNSPEC_MNIST_URL", "ftp://host/")
    with pytest.raises(DataError, match="NNSPEC_MNIST_URL is ftp://host/: an address begins with http://") as error:
        fetch("mnist")
    assert error.value.exit_code == 2


def test_a_cache_that_cannot_be_written_is_told(published: Server, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    with pytest.raises(DataError, match=r"cannot be stored in .*Set NNSPEC_HOME to another folder"):
        load()


@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_offline_never_asks_the_network(published: Server, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("NNSPEC_OFFLINE", value)
    monkeypatch.setenv("NNSPEC_DATA", "/nowhere")
    with pytest.raises(DataError, match="NNSPEC_OFFLINE forbids") as error:
        load()
    assert "/nowhere/mnist" in str(error.value) and error.value.exit_code == 2 and published.asked == []


def test_offline_reads_the_cache(published: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch("mnist")
    published.asked.clear()
    monkeypatch.setenv("NNSPEC_OFFLINE", "1")
    assert_small_mnist(load())
    assert published.asked == []


@pytest.mark.parametrize("value", ["", "0", "no"])
def test_offline_can_be_switched_off(published: Server, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("NNSPEC_OFFLINE", value)
    assert_small_mnist(load())


def test_progress_is_drawn_when_asked_for_and_never_off_a_terminal(
    published: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch("mnist")
    assert capsys.readouterr() == ("", "")
    (mnist.cache_folder() / "train-images-idx3-ubyte.gz").unlink()
    fetch("mnist", progress=True)
    out, err = capsys.readouterr()
    assert out == "" and "100%" in err


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("train-images-idx3-ubyte", np.zeros((40, 32, 32), "u1"), "holds 32x32 numbers of uint8"),
        ("t10k-images-idx3-ubyte", np.zeros((20, 28, 28), "f4"), "holds 28x28 numbers of float32"),
        ("t10k-labels-idx1-ubyte", np.full(20, 10, "u1"), r"label 10 is out of range: the classes are 0 to 9 \(.*t10k"),
        ("train-labels-idx1-ubyte", np.full(39, 1, "u1"), "40 images and .* 39 labels"),
    ],
)
def test_files_that_hold_no_digits_are_refused(
    bare_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, array: np.ndarray, said: str
) -> None:
    write_idx(write_mnist(tmp_path / "own", suffix="") / name, array)
    monkeypatch.setenv("NNSPEC_DATA", str(tmp_path / "own"))
    with pytest.raises(DataError, match=said):
        load()


def test_the_cache_is_the_platforms_own_without_NNSPEC_HOME(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NNSPEC_HOME", raising=False)
    folder = mnist.cache_folder()
    assert folder.name == "mnist" and "nnspec" in str(folder) and folder.is_absolute()


def test_the_published_digests_are_those_of_four_files() -> None:
    assert len(set(mnist.FILES.values())) == 4
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in mnist.FILES.values())
    assert datasets() and DATASETS["mnist"].train == 60_000
