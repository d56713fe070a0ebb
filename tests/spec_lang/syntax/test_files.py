"""A spec from a file, and the text of a network as it is."""

from pathlib import Path

import pytest

from nnspec.spec_lang.limits import MAX_TEXT_BYTES
from nnspec.spec_lang.report.errors import SourceError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.files import open_source
from tests.support.spec_findings import codes_of
from tests.support.special_files import special_files


def test_a_file_is_opened_and_the_text_of_a_network_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a net.nnspec"
    path.write_text("input 4\ndense 3\n")
    assert open_source(path) == open_source(str(path))
    assert open_source(path).folder == tmp_path
    for text in ("dense 3", "conv 3x3 x8->dense 3", "flatten\ndense 3", ""):
        assert open_source(text) == Source("<text>", text)


@pytest.mark.parametrize("name", ["missing.nnspec", "with space.nnspec", "missing", "x" * 5000])
def test_a_file_that_is_not_there_is_an_error_of_use(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match=r"no such file|cannot be read"):
        open_source(str(tmp_path / name))


def test_a_folder_is_no_spec(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"is a folder, not a spec: name a \.nnspec file in it"):
        open_source(str(tmp_path))


def test_a_name_no_file_can_have_is_an_error_of_use() -> None:
    with pytest.raises(SourceError, match="neither a file nor the text of a network"):
        open_source("a\0b")


def test_no_more_of_a_file_is_read_than_a_spec_may_have(tmp_path: Path) -> None:
    path = tmp_path / "long.nnspec"
    path.write_bytes(bytes(MAX_TEXT_BYTES + 1000))
    source = open_source(path)
    assert source.size == MAX_TEXT_BYTES + 1
    assert codes_of(source) == ["E003"]


def test_a_pipe_and_a_device_are_no_specs(tmp_path: Path) -> None:
    for path in special_files(tmp_path):
        with pytest.raises(SourceError, match="it is a pipe or a device, not a file"):
            open_source(path)


def test_a_pipe_is_not_included(tmp_path: Path) -> None:
    special_files(tmp_path)
    spec = tmp_path / "net.nnspec"
    spec.write_text('include "pipe"\ninput 4 -> dense 3\n')
    assert codes_of(open_source(spec)) == ["E001"]
