"""spec_lang/check/spec_request.py: a spec and what is set from outside."""

from pathlib import Path

import pytest

from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.report.errors import SourceError
from nnspec.spec_lang.vocabulary.data import Idx, Npz
from nnspec.spec_lang.vocabulary.data_tables import Csv


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec in a folder of its own, with data beside it."""
    (tmp_path / "specs").mkdir()
    monkeypatch.chdir(tmp_path)
    path = Path("specs/net.nnspec")
    path.write_text('input 4\ndense 2 softmax\ndata csv "a.csv" target=y\nvariant wide {\n  dense 9 softmax\n}\n')
    return path


def data_of(request: Request) -> Csv | Npz | Idx:
    data = request.check().data
    assert isinstance(data, Csv | Npz | Idx)
    return data


def test_a_path_in_the_spec_stays_as_it_is_written(spec: Path) -> None:
    assert data_of(Request(spec)).path == "a.csv"
    assert data_of(Request(spec, {"data.split": "60/40"})).path == "a.csv"


def test_a_path_from_outside_is_made_to_begin_at_the_spec_s_folder(spec: Path) -> None:
    assert data_of(Request(spec, data='npz "b.npz"')).path == "../b.npz"
    assert data_of(Request(spec, {"data": 'npz "b.npz"'})).path == "../b.npz"
    assert data_of(Request(spec, data='npz "specs/b.npz"')).path == "b.npz"
    assert data_of(Request(spec, data='npz "/b.npz"')).path == "/b.npz"


def test_every_path_of_a_word_is_moved(spec: Path) -> None:
    idx = data_of(Request(spec, data='idx "x" labels="y" test="u" test_labels="v"'))
    assert isinstance(idx, Idx)
    assert (idx.path, idx.labels, idx.test, idx.test_labels) == ("../x", "../y", "../u", "../v")
    csv = data_of(Request(spec, data='csv "b.csv" target=y'))
    assert isinstance(csv, Csv)
    assert (csv.path, csv.test) == ("../b.csv", None)


def test_a_text_begins_at_the_current_folder(spec: Path) -> None:
    assert data_of(Request("dense 2 softmax", data='npz "b.npz"')).path == "b.npz"


def test_settings_variant_and_seed_reach_the_spec(spec: Path) -> None:
    checked = Request(spec, {"train.epochs": 3}, variant="wide", seed=11).check()
    assert (checked.train.length, checked.train.seed, checked.parameter_count) == (3, 11, 4 * 9 + 9)


def test_what_the_data_turn_out_to_be_completes_the_spec() -> None:
    assert Request("dense 2 softmax").check().input is None
    assert Request("dense 2 softmax").check((5,)).parameter_count == 12


def test_a_missing_file_is_told() -> None:
    with pytest.raises(SourceError, match="no such file"):
        Request("none.nnspec").check()
