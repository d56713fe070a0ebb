"""What a file of data holds is described: columns, classes, repeats, leaks."""

from pathlib import Path

import numpy as np

from nnspec.runtime.data.description import describe
from nnspec.spec_lang.vocabulary.data import Npz
from nnspec.spec_lang.vocabulary.data_tables import Csv


def test_the_columns_of_a_table_are_described_by_their_kinds(tmp_path: Path) -> None:
    rows = [
        f"{i},{'' if i % 4 == 0 else i * 0.5},{'ab'[i % 2]},{'yes' if i % 3 else 'no'},2020-01-{1 + i % 28:02d}"
        for i in range(40)
    ]
    (tmp_path / "t.csv").write_text("id,x,kind,ok,day\n" + "\n".join(rows))
    found = describe(Csv(path="t.csv", target="kind"), tmp_path)
    by_name = {column.name: column for column in found.columns}
    assert [column.kind for column in found.columns] == ["number", "number", "category", "boolean", "date"]
    assert (by_name["x"].missing, by_name["x"].distinct) == (10, 30) and by_name["kind"].commonest == {"a": 20, "b": 20}
    assert by_name["day"].numbers == {"least": "2020-01-01", "greatest": "2020-01-28"}
    assert found.classes == {"a": 20, "b": 20} and found.splits == {"train": 36, "validation": 4}
    assert by_name["ok"].measure == "Cramér's V" and by_name["x"].measure == "correlation ratio"
    assert any("counts the rows" in warning for warning in found.warnings)


def test_repeats_contradictions_and_leaks_are_counted(tmp_path: Path) -> None:
    rows = [f"{i % 10},{i % 2}" for i in range(40)] + ["1,0"]
    (tmp_path / "t.csv").write_text("x,y\n" + "\n".join(rows))
    found = describe(Csv(path="t.csv", target="y", split=(75, 25)), tmp_path)
    assert (found.duplicates, found.contradictions) == (30, 1)
    assert found.leaks == {"validation in train": 10}
    assert any("10 of 10 validation samples (100.0 %) are train samples too" in warning for warning in found.warnings)
    assert any("1 row has the features of an earlier row and another target" in warning for warning in found.warnings)


def test_a_column_that_gives_the_target_away_and_one_that_says_nothing_are_warned_of(tmp_path: Path) -> None:
    rows = [f"{i % 2 * 10 + i % 5},{i * 7 % 13},1,{'no' if i % 2 else 'yes'}" for i in range(40)]
    (tmp_path / "t.csv").write_text("paid later,x,one,y\n" + "\n".join(rows))
    warnings = describe(Csv(path="t.csv", target="y"), tmp_path).warnings
    assert any('"paid later" alone decides y' in warning and 'ignore="paid later"' in warning for warning in warnings)
    assert 'column "one" has one value alone and says nothing' in warnings


def test_a_table_without_a_target_and_one_that_cannot_be_trained_on_are_described(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,y\n")
    found = describe(Csv(path="t.csv"), tmp_path)
    assert found.splits is None and found.classes is None and len(found.columns) == 2
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{i},{i % 2}\n" for i in range(20)) + "old,1\n")
    found = describe(Csv(path="t.csv", target="b"), tmp_path)
    assert found.columns[0].problem is not None and 'holds "old"' in found.warnings[0] and len(found.warnings) == 1


def test_arrays_are_described_by_shape_range_and_classes(tmp_path: Path) -> None:
    x = np.arange(80.0).reshape(20, 2, 2)
    x[7] = x[3]
    np.savez(tmp_path / "a.npz", x=x, y=[0] * 17 + [1] * 3)
    found = describe(Npz(path="a.npz", split=(50, 50)), tmp_path)
    assert (found.samples, found.sample, found.limits) == (20, "2x2 float64", (0.0, 79.0))
    assert found.classes == {"0": 17, "1": 3} and found.duplicates == 1
    assert "class 0 has 17 samples and class 1 has 3" in found.warnings[0]
    assert found.as_json()["limits"] == [0.0, 79.0]


def test_images_of_targets_are_described_by_their_size_and_what_their_pixels_are(tmp_path: Path) -> None:
    x, y = np.arange(160.0).reshape(10, 4, 4), np.zeros((10, 4, 4), np.uint8)
    y[:, 0] = 2
    np.savez(tmp_path / "a.npz", x=x, y=y)
    found = describe(Npz(path="a.npz"), tmp_path)
    assert found.notes[-1] == "each target is 4x4 uint8: 75.0 % are 0, 25.0 % are 2"
    assert found.classes is None and found.splits is not None and not found.warnings
    np.savez(tmp_path / "a.npz", x=x, y=x[..., None] / 2)
    found = describe(Npz(path="a.npz"), tmp_path)
    assert found.notes[-1] == "each target is 4x4x1 float64, numbers from 0 to 79.5"
    assert found.classes is None and found.splits is not None and not found.warnings
