"""Encoded columns against scikit-learn's ColumnTransformer, frames of pandas, and Parquet."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.data import load_data
from nnspec.runtime.data.tables.frame import frame_of
from nnspec.spec_lang.vocabulary.data_tables import Csv, Parquet

pandas = pytest.importorskip("pandas")
sklearn = pytest.importorskip("sklearn")


def passengers(rows: int = 400, seed: int = 0) -> Any:
    """Return a table with numbers, categories, some of them rare, booleans and missing values."""
    random = np.random.default_rng(seed)
    frame = pandas.DataFrame(
        {
            "age": random.normal(30, 12, rows).round(1),
            "fare": random.lognormal(3, 1, rows),
            "class": random.choice(["first", "second", "third"], rows),
            "port": random.choice(["C", "Q", "S", "rare"], rows, p=[0.3, 0.3, 0.395, 0.005]),
            "alone": random.choice(["yes", "no"], rows),
            "survived": random.choice(["died", "lived"], rows),
        }
    )
    frame.loc[random.random(rows) < 0.2, "age"] = np.nan
    frame.loc[random.random(rows) < 0.1, "port"] = None
    return frame


@pytest.mark.parametrize("statistic", ["mean", "median"])
@pytest.mark.parametrize("normalize", ["zscore", "minmax"])
def test_columns_are_encoded_as_by_a_column_transformer(tmp_path: Path, statistic: str, normalize: str) -> None:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

    frame = passengers()
    frame.to_csv(tmp_path / "t.csv", index=False)
    word: Any = {"target": "survived", "split": (300, 100), "missing": statistic, "normalize": normalize}
    data = load_data(Csv(path="t.csv", by="time", **word), tmp_path, classification=True)
    assert data.validation is not None
    scaler = StandardScaler() if normalize == "zscore" else MinMaxScaler()
    number = make_pipeline(SimpleImputer(strategy=statistic), scaler)
    category = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="\uffff"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    theirs = ColumnTransformer(
        [
            ("age", number, ["age"]),
            ("missing", SimpleImputer(add_indicator=True, strategy="constant", fill_value=0), ["age"]),
            ("fare", number, ["fare"]),
            ("category", category, ["class", "port"]),
            ("alone", OneHotEncoder(drop=["no"]), ["alone"]),
        ]
    )
    train, rest = frame.iloc[:300], frame.iloc[300:]
    encoded = theirs.fit_transform(train)
    names = theirs.get_feature_names_out().tolist()
    chosen = [index for index, name in enumerate(names) if name != "missing__age"]
    for rows, split in ((train, data.train), (rest, data.validation)):
        ours = data.preprocessing.apply(split.inputs, np.float64)
        expected = theirs.transform(rows)[:, chosen].astype(np.float64)
        assert ours.shape == expected.shape and np.abs(ours - expected).max() < 1e-12
    assert encoded.shape[1] == len(names)


def test_raw_rows_of_pandas_are_encoded_as_the_file_was(tmp_path: Path) -> None:
    frame = passengers()
    frame.to_csv(tmp_path / "t.csv", index=False)
    data = load_data(Csv(path="t.csv", target="survived", split=(1, 0)), tmp_path, classification=True)
    encoding = data.preprocessing.encoding()
    assert encoding is not None
    shuffled = frame.sample(frac=1, axis=1, random_state=0)
    rows = encoding.encode(frame_of({name: shuffled[name].to_numpy() for name in shuffled}))
    assert np.array_equal(rows, data.train.inputs)


def test_parquet_and_csv_hold_the_same_samples(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    frame = passengers()
    frame["day"] = pandas.date_range("2020-01-01", periods=len(frame), freq="7h")
    frame["class"] = frame["class"].astype("category")
    frame["alone"] = frame["alone"] == "yes"
    frame["steps"] = pandas.array(np.arange(len(frame)) % 7, "Int64")
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    csv = load_data(Csv(path="t.csv", target="survived"), tmp_path, classification=True)
    parquet = load_data(Parquet(path="t.parquet", target="survived"), tmp_path, classification=True)
    assert parquet.preprocessing.features == csv.preprocessing.features
    assert np.array_equal(parquet.train.inputs, csv.train.inputs) and parquet.digest == csv.digest
