import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nnspec import checkpoints
from nnspec.checkpoints import Checkpoint, Refused, layout
from nnspec.checkpoints.layout import DatasetLocation, build_image, check_locations
from tests.checkpoints.conftest import Altered, Reheaded

WEIGHT = "weights/dense1/bias"


def test_any_hdf5_program_opens_the_file_as_it_is(example: checkpoints.Checkpoint, tmp_path: Path) -> None:
    checkpoints.write(tmp_path / "last.h5", example)
    with h5py.File(tmp_path / "last.h5") as file:
        assert file.userblock_size == 512
        assert set(file) == {"meta"} | {name.split("/")[0] for name in example.entries}
        assert np.array_equal(file[WEIGHT], example.entries[WEIGHT])
        assert file["spec/source"][()].decode() == example.entries["spec/source"]
        assert file["data/order"].dtype == "<i8"
        assert file["buffers"].id.links.get_info("größe".encode()).cset == h5py.h5t.CSET_UTF8


def test_a_group_of_many_entries_is_read_back() -> None:
    many = Checkpoint({}, {f"weights/layer{i}/w": np.full(3, float(i)) for i in range(300)})
    assert checkpoints.differing_entries(checkpoints.from_bytes(checkpoints.to_bytes(many)), many) == []


def test_a_tree_of_more_objects_than_the_table_has_room_for_is_not_walked_to_its_end(
    altered: Altered, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = altered(lambda file: [file.create_dataset(f"weights/{i}", data=np.zeros(1)) for i in range(50)])
    monkeypatch.setattr(layout, "_MAX_OBJECTS", 40)
    with pytest.raises(Refused, match="it holds more than 40 groups and datasets"):
        checkpoints.from_bytes(image)
    monkeypatch.setattr(layout, "_MAX_OBJECTS", 80)
    with pytest.raises(Refused, match="is not what the table"):
        checkpoints.from_bytes(image)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda f: f.create_dataset("weights/x", (4,), "<f4", external=[("/etc/hostname", 0, 16)]), "in another file"),
        (lambda f: f.__setitem__("weights/x", h5py.SoftLink("/meta")), "soft or external link"),
        (lambda f: f.__setitem__("weights/x", h5py.SoftLink("/spec")), "soft or external link"),
        (lambda f: f.__setitem__("weights/x", h5py.SoftLink("/nowhere")), "soft or external link"),
        (lambda f: f.__setitem__("weights/x", h5py.ExternalLink("/etc/hostname", "/")), "soft or external link"),
        (lambda f: f.__setitem__("weights/x", f[WEIGHT]), "same object as another name"),
        (lambda f: f.__setitem__("weights/x", f["weights"]), "same object as another name"),
        (lambda f: f.__setitem__("weights/x", f["/"]), "same object as another name"),
        (lambda f: f.__setitem__("weights/x", np.dtype("<f4")), "neither a group nor a dataset"),
        (lambda f: f.create_group("weights/x"), "empty group"),
        (lambda f: f.attrs.__setitem__("x", 1), "^/ has attributes"),
        (lambda f: f["weights"].attrs.__setitem__("x", 1), "weights has attributes"),
        (lambda f: f[WEIGHT].attrs.__setitem__("x", 1), "bias has attributes"),
        (lambda f: f.create_dataset("weights/x", (4,), "<f4", chunks=(2,)), "not stored contiguously"),
        (lambda f: f.create_dataset("weights/x", (2**20,), "<f4", compression="gzip"), "not stored contiguously"),
        (lambda f: f.create_dataset("weights/x", (4,), "<f4", maxshape=(None,)), "not stored contiguously"),
        (lambda f: f.create_dataset("weights/x", (2**60,), "<f4", chunks=(4,)), "not stored contiguously"),
        (lambda f: f.create_dataset("weights/x", (2**60,), "<f4"), "has 0 bytes, and its shape requires"),
        (lambda f: f.create_dataset("weights/x", (2**20,), "<f4"), "has 0 bytes, and its shape requires"),
        (lambda f: f.create_dataset("weights/x", (0, 2**62), "<f4"), "shape that no array can have"),
        (lambda f: f.create_dataset("weights/x", data=h5py.Empty("<f4")), "has no shape"),
        (lambda f: f.create_dataset("weights/x", data=np.zeros(2, "f2")), "has a type"),
        (lambda f: f.create_dataset("weights/x", data=np.zeros(2, ">f4")), "has a type"),
        (lambda f: f.create_dataset("weights/x", data=np.zeros(2, "u8")), "has a type"),
        (lambda f: f.create_dataset("weights/x", data=np.zeros(2, "c8")), "has a type"),
        (lambda f: f.create_dataset("weights/x", data=np.zeros(2, "f4,f4")), "has a type"),
        (lambda f: f.create_dataset("weights/x", data=np.zeros(2, "?")), "has a type"),
        (lambda f: f.create_dataset("weights/x", data="variable"), "has a type"),
        (lambda f: f.create_dataset("weights/x", data=np.bytes_(b"ascii")), "has a type"),
        (lambda f: f.create_dataset("weights/x", data=f.ref, dtype=h5py.ref_dtype), "has a type"),
        (lambda f: f.create_dataset("weights/x", data=np.array([b"a"], h5py.string_dtype(length=1))), "array of texts"),
        (lambda f: f.create_dataset("weights/x y", data=np.zeros(2)), "not a valid part of a name"),
        (lambda f: f.create_dataset("weights/..", data=np.zeros(2)), "not a valid part of a name"),
        (lambda f: f.create_dataset("weights/x\n", data=np.zeros(2)), "not a valid part of a name"),
        (lambda f: f.create_dataset("weights/x\\y", data=np.zeros(2)), "not a valid part of a name"),
        (lambda f: f.create_dataset("weights/" + "x" * 300, data=np.zeros(2)), "not a valid part of a name"),
        (lambda f: f.create_dataset(b"weights/\xff", data=np.zeros(2)), "not UTF-8"),
        (lambda f: f.create_dataset("weights" + "/x" * 16, data=np.zeros(2)), "more than 16 deep"),
        (lambda f: f.create_group("weights" + "/x" * 5000), "more than 16 deep"),
        (lambda f: f.create_dataset("other", data=np.zeros(2)), "not a name of the format"),
        (lambda f: f.create_dataset("weights/x", data=np.zeros(2)), "weights/x is not what the table"),
        (lambda f: f.__delitem__(WEIGHT), "is an empty group"),
        (lambda f: f.__delitem__("weights"), "is not what the table"),
        (lambda f: f.__delitem__("meta"), "no /meta"),
        (lambda f: (f.__delitem__("meta"), f.create_dataset("meta/x", data=np.zeros(2))), "no /meta"),
    ],
)
def test_a_sealed_file_with_what_the_format_does_not_have_is_refused(altered: Altered, change: Any, told: str) -> None:
    with pytest.raises(Refused, match=told):
        checkpoints.from_bytes(altered(change))


def test_a_dataset_of_a_committed_type_is_refused(altered: Altered) -> None:
    def change(file: Any) -> None:
        file["type"] = np.dtype("<f4")
        file.create_dataset("weights/x", (2,), dtype=file["type"], data=np.zeros(2))
        del file["type"]

    with pytest.raises(Refused, match="weights/x has a type"):
        checkpoints.from_bytes(altered(change))


def test_a_virtual_dataset_is_refused(altered: Altered) -> None:
    def change(file: Any) -> None:
        virtual = h5py.VirtualLayout((4,), "<f4")
        virtual[:] = h5py.VirtualSource("/etc/hostname", "x", (4,))
        file.create_virtual_dataset("weights/x", virtual)

    with pytest.raises(Refused, match="not stored contiguously"):
        checkpoints.from_bytes(altered(change))


@pytest.mark.parametrize("libver", ["earliest", "v108", "v110"])
def test_a_foreign_hdf5_file_is_refused_even_where_it_is_sealed(sealed: Callable[..., bytes], libver: str) -> None:
    file = io.BytesIO()
    persistent = {"fs_strategy": "fsm", "fs_persist": True} if libver == "v110" else {}  # needs a superblock extension
    with h5py.File(file, "w", libver=libver, userblock_size=512, **persistent) as opened:
        opened["weights/w"] = np.zeros(3)
    with pytest.raises(Refused, match="superblock"):
        checkpoints.from_bytes(sealed(file.getvalue()))


@pytest.mark.parametrize("rest", [b"", b"x" * 10, b"\x89HDF\r\n\x1a\n\x03\x08\x08", bytes(1000)])
def test_a_seal_around_something_that_is_not_hdf5_is_refused(sealed: Callable[..., bytes], rest: Any) -> None:
    with pytest.raises(Refused, match="superblock"):
        checkpoints.from_bytes(sealed(bytes(512) + rest))


def test_metadata_that_hdf5_cannot_read_is_refused(
    example: checkpoints.Checkpoint, sealed: Callable[..., bytes]
) -> None:
    image = bytearray(checkpoints.to_bytes(example))
    image[image.rindex(b"OHDR") + 10] ^= 1
    with pytest.raises(Refused, match="HDF5 cannot read its structure"):
        checkpoints.from_bytes(sealed(image))


def message(messages: Any, kind: Any) -> Any:
    """The only message of a kind in an object's header."""
    (found,) = [entry for entry in messages if entry[0] == kind]
    return found


LINK, LAYOUT, FILTERS = 6, 8, 11  # kinds of header messages


def test_the_tool_that_edits_headers_gives_files_that_hdf5_reads(
    reheaded: Reheaded, example: checkpoints.Checkpoint
) -> None:
    assert reheaded(WEIGHT, lambda messages: None) == checkpoints.to_bytes(example)


def test_a_name_with_a_slash_in_it_is_not_followed_as_a_path(
    reheaded: Reheaded,
) -> None:
    def rename(messages: Any) -> None:
        (link,) = [entry for entry in messages if entry[0] == LINK and b"resolved" in entry[2]]
        link[2] = link[2].replace(b"resolved", b"a/../../")

    with pytest.raises(Refused, match=r"'a/../../' is not a valid part of a name"):
        checkpoints.from_bytes(reheaded("spec", rename))


def test_a_contiguous_dataset_with_a_filter_is_refused(
    reheaded: Reheaded,
) -> None:
    deflate = struct.pack("<BBHHHI", 2, 1, 1, 0, 1, 6)
    with pytest.raises(Refused, match="stored through a filter"):
        checkpoints.from_bytes(reheaded(WEIGHT, lambda messages: messages.append([FILTERS, 0, deflate])))


@pytest.mark.parametrize(
    "address",
    [2**64 - 1, 2**64 - 2, 2**64 - 16, 2**64 - 512, 2**63, pytest.param(-520, id="half"), pytest.param(-512, id="end")],
)
def test_numbers_outside_the_file_are_refused(
    reheaded: Reheaded, example: checkpoints.Checkpoint, address: Any
) -> None:
    if address < 0:
        address += len(checkpoints.to_bytes(example))

    def move(messages: Any) -> None:
        layout = message(messages, LAYOUT)
        layout[2] = layout[2][:2] + struct.pack("<Q", address) + layout[2][10:]

    with pytest.raises(Refused, match=r"bias is not inside|its shape requires|invalid dataset size"):
        checkpoints.from_bytes(reheaded(WEIGHT, move))


@pytest.mark.parametrize(
    ("offset", "size"), [(0, 8), (511, 8), (993, 8), (1001, 8), (2**64 - 1, 8), (512, 489), (512, 2**60)]
)
def test_a_place_outside_the_file_is_refused_whatever_hdf5_thinks_of_it(offset: Any, size: Any) -> None:
    with pytest.raises(Refused, match="is not inside the file"):
        check_locations({"weights/w": DatasetLocation(offset, size, np.dtype("u1"), (size,))}, 1000)


def test_numbers_that_are_none_may_be_said_to_lie_anywhere() -> None:
    view = DatasetLocation(2**60, 0, np.dtype("<f4"), (0, 3)).view(bytes(10))
    assert (view.shape, view.dtype) == ((0, 3), np.dtype("<f4"))


def test_places_side_by_side_and_empty_ones_anywhere_are_good() -> None:
    places = [("a", 512, 8), ("b", 520, 480), ("none", 511, 0), ("inside", 514, 0)]
    check_locations(
        {name: DatasetLocation(offset, size, np.dtype("u1"), (size,)) for name, offset, size in places}, 1000
    )


@pytest.mark.parametrize("claim", [2**60, 17, 15, 0])
def test_a_size_that_disagrees_with_the_shape_is_refused(reheaded: Reheaded, claim: Any) -> None:
    def resize(messages: Any) -> None:
        layout = message(messages, LAYOUT)
        layout[2] = layout[2][:10] + struct.pack("<Q", claim)

    with pytest.raises(Refused, match=r"its shape requires|HDF5 cannot read"):
        checkpoints.from_bytes(reheaded(WEIGHT, resize))


def test_two_datasets_that_share_bytes_are_refused(reheaded: Reheaded, example: checkpoints.Checkpoint) -> None:
    with h5py.File(io.BytesIO(checkpoints.to_bytes(example))) as file:
        elsewhere = file["weights/res2/conv1/weight"].id.get_offset() - 512

    def move(messages: Any) -> None:
        layout = message(messages, LAYOUT)
        layout[2] = layout[2][:2] + struct.pack("<Q", elsewhere + 40) + layout[2][10:]

    with pytest.raises(Refused, match="shares bytes with another dataset"):
        checkpoints.from_bytes(reheaded(WEIGHT, move))


def test_an_image_holds_no_time_and_no_trace_of_its_process(example: checkpoints.Checkpoint) -> None:
    stored = {"meta": np.array(b"{}"), "weights/w": np.arange(5.0)}
    assert build_image(stored).getvalue() == build_image(stored).getvalue()
    image = checkpoints.to_bytes(example)
    headers = [at for at in range(len(image)) if image.startswith(b"OHDR\x02", at)]
    assert len(headers) > len(example.entries)
    assert not any(image[at + 5] & 0x20 for at in headers)  # the flag by which a header says that it keeps times
