import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from nnspec import checkpoints
from nnspec.checkpoints import Checkpoint, Refused, content, layout
from nnspec.checkpoints.reading import check_image

PART = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/\\"), min_size=1, max_size=12).filter(
    lambda part: part not in (".", "..")
)
NAME = st.builds(
    lambda group, parts: "/".join([group, *parts]),
    st.sampled_from([group for group in checkpoints.GROUPS if group != "run"]),
    st.lists(PART, min_size=1, max_size=4),
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)
DTYPE = st.sampled_from(["<f4", "<f8", "<i4", "<i8", "u1", "?", ">f4", ">i8"])
ARRAY = DTYPE.flatmap(
    lambda dtype: arrays_of.arrays(
        dtype,
        arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
        elements={"allow_nan": False, "allow_infinity": False} if "f" in dtype else None,
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


def without_nesting(entries: Any) -> Any:
    """Leave out the names that lie inside another name: such a tree cannot be."""
    return {
        name: value for name, value in entries.items() if not any(name.startswith(f"{outer}/") for outer in entries)
    }


CHECKPOINT = st.builds(
    Checkpoint,
    st.dictionaries(TEXT.filter(lambda key: key not in content.ADDED_TO_META), JSON, max_size=4).map(
        lambda meta: meta | {"program_version": "0.1.0"}
    ),
    st.dictionaries(NAME, ARRAY | TEXT, max_size=12).map(without_nesting),
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(CHECKPOINT)
def test_what_is_written_is_what_is_read(checkpoint: Any) -> None:
    image = checkpoints.to_bytes(checkpoint)
    back = checkpoints.from_bytes(image)
    assert back.meta == checkpoint.meta
    assert back.entries.keys() == checkpoint.entries.keys()
    for name, value in checkpoint.entries.items():
        if isinstance(value, str):
            assert back.entries[name] == value
        else:
            little = value.astype("u1" if value.dtype == bool else value.dtype.newbyteorder("<"))
            assert (back.entries[name].dtype, back.entries[name].shape) == (little.dtype, little.shape)
            assert back.entries[name].tobytes() == little.tobytes()
    assert checkpoints.differing_entries(checkpoint, back) == []
    assert checkpoints.to_bytes(back) == image


@pytest.mark.slow
@settings(deadline=None)
@given(CHECKPOINT, NAME, ARRAY | TEXT)
def test_same_names_the_entry_that_differs_and_no_other(checkpoint: Any, name: Any, value: Any) -> None:
    one = Checkpoint(checkpoint.meta, without_nesting({**checkpoint.entries, name: value}))
    two = Checkpoint(
        checkpoint.meta, {**one.entries, name: "something else\n" * 7} if name in one.entries else one.entries
    )
    assert checkpoints.differing_entries(one, two) == ([name] if name in one.entries else [])


def test_same_leaves_out_run_and_sees_meta_dtype_shape_sign_and_presence(example: checkpoints.Checkpoint) -> None:
    def changed(meta: Any = None, **entries: Any) -> Any:
        named = {name.replace("__", "/"): value for name, value in entries.items()}
        return checkpoints.differing_entries(example, Checkpoint(meta or example.meta, {**example.entries, **named}))

    assert changed(run__clock="later", run__other="") == []
    assert changed(meta={**example.meta, "loss": 0.2}) == ["meta"]
    assert changed(data__order=np.array([2, 0, 1], dtype="i4")) == ["data/order"]
    assert changed(data__order=np.array([[2, 0, 1]])) == ["data/order"]
    assert changed(weights__dense1__bias=np.array([0.5, 0.0])) == ["weights/dense1/bias"]
    assert changed(weights__new=np.zeros(1), spec__source="") == ["spec/source", "weights/new"]


@pytest.mark.parametrize(
    "array", [np.arange(12.0).reshape(3, 4).T, np.arange(9)[::-2], np.asfortranarray(np.ones((2, 3)))]
)
def test_an_array_is_stored_in_row_major_order_however_it_lies_in_memory(array: Any) -> None:
    back = checkpoints.from_bytes(checkpoints.to_bytes(Checkpoint({}, {"weights/w": array})))
    assert np.array_equal(back.entries["weights/w"], array)
    assert back.entries["weights/w"].flags.writeable


@pytest.mark.parametrize(
    "name",
    [
        "weights",
        "meta",
        "meta/x",
        "model/w",
        "/weights/w",
        "weights//w",
        "weights/",
        "weights/../w",
        "weights/./w",
        "weights/a b",
        "weights/a\n",
        "weights/a\0",
        "weights/a\u202eb",
        "weights/a\\b",
        "weights/" + "é" * 128,
        "/".join(["weights"] * 17),
        "weights/\ud800",
        "",
    ],
)
def test_a_name_that_is_no_entry_of_the_format_is_refused(name: Any) -> None:
    with pytest.raises(Refused, match="name"):
        checkpoints.to_bytes(Checkpoint({}, {name: np.zeros(1)}))


def test_an_entry_cannot_also_hold_entries() -> None:
    with pytest.raises(Refused, match="'weights/a' cannot be an entry and also hold 'weights/a/b/c'"):
        checkpoints.to_bytes(Checkpoint({}, {"weights/a/b/c": "", "weights/a": np.zeros(1)}))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.zeros(1, "f2"), "float16"),
        (np.zeros(1, "u8"), "uint64"),
        (np.zeros(1, "c8"), "complex64"),
        (np.array(["text"]), "<U4"),
        (np.array([None]), "object"),
        (np.zeros(1, "f4,f4"), "f0"),
        (3.0, "float, neither an array nor a text"),
        (b"bytes", "bytes, neither"),
        ("a\0b", "NUL"),
        ("a\ud800", "not Unicode text"),
        (np.zeros((1,) * 33), "33 axes"),
        (np.array([1, math.nan]), "NaN or Inf"),
        (np.array([[-math.inf]], "f4"), "NaN or Inf"),
        (np.array(math.inf), "NaN or Inf"),
    ],
)
def test_a_value_that_the_format_cannot_hold_is_refused_by_name(value: Any, told: str) -> None:
    with pytest.raises(Refused, match=f"weights/w (is|has|holds) .*{told}|weights/w holds {told}"):
        checkpoints.to_bytes(Checkpoint({}, {"weights/w": value}))


@pytest.mark.parametrize(
    "meta",
    [
        {"loss": math.nan},
        {"shape": (1, 2)},
        {1: "number as a key"},
        {"set": {1}},
        {"half": "\ud800"},
        {"format_version": 1},
        {"entries": {}},
        {"long": "x" * content.META_BYTES},
    ],
)
def test_a_meta_that_would_not_come_back_as_it_was_is_refused(meta: Any) -> None:
    with pytest.raises(Refused, match="meta"):
        checkpoints.to_bytes(Checkpoint(meta, {}))


def test_run_holds_texts_of_one_stored_length_only() -> None:
    with pytest.raises(Refused, match="run/clock is an array"):
        checkpoints.to_bytes(Checkpoint({}, {"run/clock": np.zeros(1)}))
    with pytest.raises(Refused, match="4097 bytes"):
        checkpoints.to_bytes(Checkpoint({}, {"run/clock": "x" * 4097}))
    full = Checkpoint({}, {"run/clock": "x" * 4096, "run/none": ""})
    assert checkpoints.from_bytes(checkpoints.to_bytes(full)).entries == full.entries


def test_two_runs_that_differ_in_run_alone_have_equal_files_but_for_the_seal_and_those_texts(
    example: checkpoints.Checkpoint,
) -> None:
    other = Checkpoint(example.meta, {**example.entries, "run/clock": "another time", "run/host": ""})
    one, two = checkpoints.to_bytes(example), checkpoints.to_bytes(other)
    assert one != two
    assert checkpoints.comparable(one) == checkpoints.comparable(two)
    differing = [at for at, (x, y) in enumerate(zip(one, two, strict=True)) if x != y]
    texts = [one.index(text.encode()) for text in ("2026-01-01T00:00:00Z", "example" + "\0" * 9)]
    assert all(at < 512 or any(start <= at < start + 4096 for start in texts) for at in differing)


def test_comparable_sees_a_difference_anywhere_else(example: checkpoints.Checkpoint) -> None:
    other = Checkpoint(example.meta, {**example.entries, "data/order": np.array([1, 0, 2])})
    assert checkpoints.comparable(checkpoints.to_bytes(example)) != checkpoints.comparable(checkpoints.to_bytes(other))


def test_a_damaged_file_is_not_compared(example: checkpoints.Checkpoint) -> None:
    with pytest.raises(checkpoints.Damaged):
        checkpoints.comparable(checkpoints.to_bytes(example)[:-1])


def test_the_order_in_which_entries_are_given_does_not_matter(example: checkpoints.Checkpoint) -> None:
    backwards = Checkpoint(dict(reversed(example.meta.items())), dict(reversed(list(example.entries.items()))))
    assert checkpoints.to_bytes(backwards) == checkpoints.to_bytes(example)


META = '{{"entries":{{{entries}}},"format_version":1{more}}}'


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        ("", "length"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("1" * 5000, "not JSON"),
        ("[]", "not an object"),
        ('{"entries":{}, "format_version":1}', "canonical"),
        ('{"format_version":1,"entries":{}}', "canonical"),
        ('{"entries":{},"entries":{},"format_version":1}', "canonical"),
        ('{"entries":{},"format_version":1,"x":NaN}', "meta"),
        ('{"entries":{},"format_version":1,"x":1e999}', "meta"),
        ('{"entries":{},"format_version":1,"x":"\\ud800"}', "meta"),
        ('{"entries":{},"format_version":2}', "disagree on the format version"),
        ('{"entries":{}}', "disagree on the format version"),
        ('{"entries":{},"format_version":1.0}', "disagree on the format version"),
        ('{"entries":{},"format_version":true}', "disagree on the format version"),
        ('{"entries":{},"format_version":"1"}', "disagree on the format version"),
        ('{"entries":{},"format_version":1,"x":{"b":1,"a":2}}', "canonical"),
        ('{"entries":{},"format_version":1,"x":[{"b":1,"a":2}]}', "canonical"),
        ('{"entries":{},"format_version":1,"x":1.50}', "canonical"),
        ('{"entries":{},"format_version":1,"x":-0}', "canonical"),
        ('{"entries":{},"format_version":1,"x":"\\u00e9"}', "canonical"),
        ('{"format_version":1}', "no table"),
        ('{"entries":[],"format_version":1}', "no table"),
        ('{"entries":{},"format_version":1}', "weights/w is not what the table"),
        ('{"entries":{"weights/v":{}},"format_version":1}', "weights/v is not what the table"),
        (np.zeros(3), "not a text"),
        (np.array(b"\xff", dtype="S1"), "not UTF-8"),
        (np.array(b"x" * (content.META_BYTES + 1)), "longer than"),
    ],
)
def test_a_meta_that_is_not_the_formats_is_refused(forged: Callable[..., bytes], meta: Any, told: str) -> None:
    entries = {"weights/w": np.zeros(2)}
    if isinstance(meta, str) and not meta:
        meta = np.array(b"\0\0", dtype="S2")
    with pytest.raises(Refused, match=told):
        checkpoints.from_bytes(forged(entries, meta))


@pytest.mark.parametrize(
    ("key", "value"),
    [("dtype", "other"), ("shape", "other"), ("shape", [1.0]), ("shape", [True]), ("sha256", "other"), ("more", 1)],
)
def test_a_table_that_says_something_else_of_an_entry_is_refused(
    forged: Callable[..., bytes], key: str, value: Any
) -> None:
    entries = {"weights/v": np.ones(1), "weights/w": np.zeros(1)}
    table = content.entry_table(entries)
    table["weights/w"][key] = value
    with pytest.raises(Refused, match="weights/w is not what the table in /meta says"):
        checkpoints.from_bytes(forged(entries, content.canonical({"entries": table, "format_version": 1})))


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"weights/w": np.array([1.0, math.nan])}, "weights/w holds NaN or Inf"),
        ({"weights/w": np.array([1.0, math.inf], "f4")}, "weights/w holds NaN or Inf"),
        ({"run/clock": np.zeros(2)}, "run/clock is an array"),
        ({"run/clock": np.array(b"now")}, "another length"),
        ({"spec/source": np.array(b"ab", dtype="S5")}, "another length"),
        ({"spec/source": np.array(b"a\0b")}, "another length"),
        ({"spec/source": np.array(b"\xff\xfe")}, "not UTF-8"),
        ({"model/w": np.zeros(2)}, "not a name of the format"),
        ({"weights": np.zeros(2)}, "not a name of the format"),
    ],
)
def test_entries_that_a_writer_would_refuse_are_refused_in_a_sealed_file_too(
    forged: Callable[..., bytes], entries: Any, told: str
) -> None:
    for judge in (checkpoints.from_bytes, check_image):
        with pytest.raises(Refused, match=told):
            judge(forged(entries))


def test_a_remembered_digest_is_that_of_the_bytes_at_hand() -> None:
    digest, array = content.remembering(), np.arange(3.0)
    for name, value in (
        ("a", array),
        ("a", array.copy()),
        ("a", array + 1),
        ("a", array),
        ("b", array),
        ("a", -0.0 * array),
    ):
        assert digest(name, value) == content.sha256_of(name, value)


def test_an_image_that_holds_other_numbers_than_were_given_is_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    build = layout.build_image
    monkeypatch.setattr(layout, "build_image", lambda stored: build(stored | {"weights/w": stored["weights/w"] + 1}))
    with pytest.raises(Refused, match="weights/w is not what the table in /meta says"):
        checkpoints.image_for("a.h5", Checkpoint({}, {"weights/w": np.zeros(2)}))
