"""A file given as --data is a statement: its name shows the format, the spec says the rest."""

from pathlib import Path

import pytest

from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.vocabulary.data import Npz
from nnspec.spec_lang.vocabulary.data_tables import Csv, Parquet


def data_of(given: str, statement: str = "") -> object:
    spec: Spec = Request(Source("spec", f"{statement}\ndense 3 softmax", Path.cwd()), data=given).check()
    return spec.data


def test_the_name_of_a_file_shows_its_format() -> None:
    assert data_of("iris.csv") == Csv(path="iris.csv")
    assert data_of("iris.csv target=species split=75/25") == Csv(path="iris.csv", target="species", split=(75, 25))
    assert data_of('"my file.TSV" target=a, b') == Csv(path="my file.TSV", target=("a", "b"))
    assert data_of("a/b.parquet target=y") == Parquet(path="a/b.parquet", target="y")
    assert data_of("x.npz") == Npz(path="x.npz") == data_of('npz "x.npz"')


def test_the_spec_says_the_rest() -> None:
    statement = 'data csv "train.csv" target=species ignore=id split=80/20 test="test.csv"'
    kept = Csv(path="new.csv", target="species", ignore="id", split=(80, 20))
    assert data_of("new.csv", statement) == kept
    assert data_of("new.csv split=70/30", statement) == kept.model_copy(update={"split": (70.0, 30.0)})
    assert data_of("new.parquet", statement) == Parquet(
        path="new.parquet", target="species", ignore="id", split=(80, 20)
    )
    assert data_of('csv "new.csv" target=kind', statement) == Csv(path="new.csv", target="kind")
    assert data_of("new.npz", "data mnist split=60/40") == Npz(path="new.npz", split=(60, 40))


def test_a_file_with_spaces_that_exists_needs_no_quotes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my file.csv").touch()
    assert data_of("my file.csv") == Csv(path="my file.csv")


def test_a_file_whose_name_shows_no_format_is_told_what_does(tmp_path: Path) -> None:
    (tmp_path / "iris").touch()
    with pytest.raises(SpecError, match=r'write the format first, as csv ".*iris".*csv \(\.csv, '):
        data_of(str(tmp_path / "iris"))


def test_what_is_no_file_stays_an_unknown_word() -> None:
    with pytest.raises(SpecError, match='no data is called "mnst"'):
        data_of("mnst")
