"""nnspec init."""

from pathlib import Path

from click.testing import CliRunner

from nnspec.cli import command_line
from nnspec.cli.specs import SPECS, shipped_specs
from tests.nnspec.conftest import Command


def test_without_a_name_the_shipped_specs_are_listed_with_their_first_comment(nnspec: Command) -> None:
    listed = nnspec("init")
    assert (listed.code, listed.err) == (0, "")
    for name, path in shipped_specs().items():
        comment = path.read_text().splitlines()[0].removeprefix("# ")
        assert any(line.split(maxsplit=1) == [name, comment] for line in listed.out.splitlines())
    assert {"quickstart", "mnist_mlp", "mnist_cnn", "mnist_best"} <= set(shipped_specs())


def test_a_copy_is_the_shipped_text_and_its_next_command_works(nnspec: Command, tmp_path: Path) -> None:
    assert nnspec("init", "quickstart").out == (
        "wrote quickstart.nnspec; to train it: nnspec train quickstart.nnspec\n"
    )
    assert (tmp_path / "quickstart.nnspec").read_bytes() == (SPECS / "quickstart.nnspec").read_bytes()
    assert nnspec("check", "quickstart.nnspec").code == 0


def test_the_folder_of_a_copy_is_made(nnspec: Command, tmp_path: Path) -> None:
    made = nnspec("init", "quickstart", "experiments/first/mine.nnspec")
    assert made.out == (
        "wrote experiments/first/mine.nnspec; to train it: nnspec train experiments/first/mine.nnspec\n"
    )
    assert (tmp_path / "experiments" / "first" / "mine.nnspec").is_file()
    (tmp_path / "file").touch()
    refused = nnspec("init", "quickstart", "file/mine.nnspec")
    assert refused.code == 2 and "cannot be written" in refused.err


def test_json_has_the_specs_and_the_file_that_was_written(nnspec: Command, tmp_path: Path) -> None:
    assert [spec["name"] for spec in nnspec("init", "--json").json["specs"]] == list(shipped_specs())
    made = nnspec("init", "quickstart", "mine.nnspec", "--json").json
    assert (made["name"], made["file"]) == ("quickstart", "mine.nnspec") and (tmp_path / "mine.nnspec").is_file()


def test_a_copy_goes_where_it_is_asked_for(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert nnspec("init", "mnist_cnn", "mine.nnspec").code == 0
    assert nnspec("init", "mnist_cnn", "folder").code == 0
    assert (tmp_path / "mine.nnspec").is_file() and (tmp_path / "folder" / "mnist_cnn.nnspec").is_file()


def test_a_file_that_is_there_is_never_overwritten(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "quickstart.nnspec").write_text("mine")
    failed = nnspec("init", "quickstart")
    assert (failed.code, failed.out) == (2, "")
    assert failed.err == "error: quickstart.nnspec exists already: name another file\n"
    assert (tmp_path / "quickstart.nnspec").read_text() == "mine"


def test_an_unknown_name_names_the_nearest_one(nnspec: Command) -> None:
    failed = nnspec("init", "quikstart")
    assert failed.code == 2 and "did you mean quickstart?" in failed.err
    failed = nnspec("init", "zzz")
    assert failed.code == 2 and ", ".join(sorted(shipped_specs())[:-1]) in failed.err


def test_completion_knows_the_shipped_specs() -> None:
    environment = {"_NNSPEC_COMPLETE": "bash_complete", "COMP_WORDS": "nnspec init mnist_", "COMP_CWORD": "2"}
    completed = CliRunner().invoke(command_line, prog_name="nnspec", env=environment, complete_var="_NNSPEC_COMPLETE")
    found = [line.partition(",")[2] for line in completed.stdout.splitlines()]
    assert found == sorted(name for name in shipped_specs() if name.startswith("mnist_"))
