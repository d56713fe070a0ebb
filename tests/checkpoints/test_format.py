import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec import checkpoints
from nnspec.checkpoints import content, layout, seal

FORMAT = (Path(checkpoints.__file__).parent / "FORMAT.md").read_text()
V1 = Path(__file__).parent / "data" / "v1.h5"


@pytest.fixture
def second_reader() -> Any:
    """The reader that stands in FORMAT.md, which uses nothing of ours."""
    (source,) = re.findall(r"```python\n(.*?)```", FORMAT, re.DOTALL)
    names: dict[str, Any] = {}
    exec(textwrap.dedent(source), names)
    return names["read"]


def test_a_file_of_version_1_is_still_read(example: checkpoints.Checkpoint) -> None:
    assert checkpoints.verify(V1).format_version == 1
    assert checkpoints.differing_entries(checkpoints.read(V1), example) == []
    assert checkpoints.read(V1).entries["run/host"] == "example"


def test_the_reader_in_the_specification_reads_the_same(second_reader: Any, example: checkpoints.Checkpoint) -> None:
    meta, arrays, texts = second_reader(V1)
    assert {key: meta[key] for key in example.meta} == example.meta
    for name, value in example.entries.items():
        if name.startswith("run/"):
            assert name not in arrays | texts
        elif isinstance(value, str):
            assert texts[name] == value
        else:
            assert np.array_equal(arrays[name], value)


def test_the_reader_in_the_specification_refuses_a_flipped_bit(second_reader: Any, tmp_path: Path) -> None:
    for at in (3, 40, 300, 511, 512, -1):
        data = bytearray(V1.read_bytes())
        data[at] ^= 1
        (tmp_path / "flipped.h5").write_bytes(data)
        with pytest.raises(AssertionError):
            second_reader(tmp_path / "flipped.h5")


def test_the_specification_names_the_groups_types_and_limits_of_the_code() -> None:
    assert set(re.findall(r"/([a-z]+)/", FORMAT.split("## 3.")[1].split("## 4.")[0])) - {
        "source",
        "resolved",
        "conv1",
    } == set(content.GROUPS)
    for fact in [
        *(kind.replace("|", "\\|") for kind in content.NUMBERS),
        content.RUN_BYTES,
        content.META_BYTES,
        layout._MAX_OBJECTS,
    ]:
        assert f"{fact}" in FORMAT
    assert f"version {checkpoints.FORMAT_VERSION}\n" in FORMAT.splitlines(keepends=True)[0]
    assert f"The seal: bytes 0 to {seal.SIZE - 1}" in FORMAT
