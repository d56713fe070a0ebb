"""Files that include others."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.report.diagnostics import Diagnostic
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.report.render import render
from nnspec.spec_lang.syntax.files import open_source
from tests.support.spec_findings import spec_of

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def written(name: str, text: str) -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return written


def spec(path: Path) -> Spec:
    return spec_of(open_source(path))


def found_in(path: Path) -> list[Diagnostic]:
    with pytest.raises(SpecError) as raised:
        spec(path)
    return raised.value.diagnostics


def test_what_follows_replaces_the_included_statements_of_its_kind(write: Write) -> None:
    write(
        "base.nnspec",
        "network base\nlet w = 3\ninput 4\ndense $w -> dense 2\noptimizer sgd lr=0.1\nvariant a { train 1 epochs }\n",
    )
    net = write("net.nnspec", 'include "base.nnspec"\nlet w = 5\noptimizer adam\n')
    made = spec(net)
    assert (made.name, made.optimizer.word, made.nodes[0].output_shape) == ("base", "adam", (5,))
    assert spec_of(open_source(net), variant="a").train.length == 1


def test_paths_begin_at_the_folder_of_the_file_they_stand_in(write: Write) -> None:
    write("parts/deep/data.nnspec", "train 3 epochs\n")
    write("parts/body.nnspec", 'include "deep/data.nnspec"\ninput 4\ndense 3\n')
    assert spec(write("net.nnspec", 'include "parts/body.nnspec"\n')).train.length == 3


def test_a_file_that_two_include_is_read_once_and_its_errors_told_once(write: Write) -> None:
    write("base.nnspec", "input 4\ntrain 0 epochs\n")
    write("a.nnspec", 'include "base.nnspec"\n')
    write("b.nnspec", 'include "base.nnspec"\n')
    found = found_in(write("net.nnspec", 'include "a.nnspec"\ninclude "b.nnspec"\ndense 3\n'))
    assert [(error.code, error.span.shown()) for error in found] == [("E202", "base.nnspec:2:7")]


def test_an_error_in_an_included_file_tells_the_way_to_it(write: Write) -> None:
    write("parts/base.nnspec", "input 4\ndense 3 rellu\n")
    write("middle.nnspec", '# first\ninclude "parts/base.nnspec"\n')
    (error,) = found_in(write("net.nnspec", 'include "middle.nnspec"\n'))
    assert render(error).split("\n") == [
        'error[E103] no activation is called "rellu"',
        "  parts/base.nnspec:2:9",
        "  |",
        "2 | dense 3 rellu",
        "  |         ^^^^^",
        "  | in parts/base.nnspec, written at middle.nnspec:2:1",
        "  | in middle.nnspec, written at net.nnspec:1:1",
        "  help: did you mean relu?",
    ]


def test_errors_come_in_the_order_in_which_the_text_is_read(write: Write) -> None:
    write("base.nnspec", "input 4\ndense 3 rellu\ntrain 0 epochs\n")
    found = found_in(write("net.nnspec", 'loss mse2\ninclude "base.nnspec"\ninit hee\n'))
    assert [error.span.text for error in found] == ["mse2", "rellu", "0", "hee"]


def test_files_that_include_each_other_are_named_in_their_circle(write: Write) -> None:
    write("b.nnspec", 'include "sub/c.nnspec"\n')
    write("sub/c.nnspec", 'include "../a.nnspec"\ninput 4\n')
    (error,) = found_in(write("a.nnspec", 'include "b.nnspec"\ndense 3\n'))
    assert error.help == "these files include each other: a.nnspec -> b.nnspec -> c.nnspec -> a.nnspec"
    (error,) = found_in(write("self.nnspec", 'include "self.nnspec"\ninput 4\ndense 3\n'))
    assert error.help == "these files include each other: self.nnspec -> self.nnspec"


@pytest.mark.parametrize("path", ["../outside.nnspec", "/etc/passwd", "sub/../../outside.nnspec"])
def test_an_include_stays_in_the_spec_s_own_folder(write: Write, path: str) -> None:
    write("sub/net.nnspec", "")
    (error,) = found_in(write("net/net.nnspec", f'include "{path}"\ninput 4\ndense 3\n'))
    assert (error.code, error.help) == ("E001", "an include stays in the spec's own folder and the folders below it")


def test_a_link_that_leads_out_of_the_folder_is_outside(write: Write, tmp_path: Path) -> None:
    write("other/base.nnspec", "input 4\n")
    net = write("net/net.nnspec", 'include "base.nnspec"\ndense 3\n')
    os.symlink(tmp_path / "other" / "base.nnspec", "net/base.nnspec")
    assert found_in(net)[0].help == "an include stays in the spec's own folder and the folders below it"


@pytest.mark.parametrize(
    ("path", "help"),
    [
        ("missing.nnspec", "missing.nnspec: there is no such file"),
        ("sub", "sub is a folder, not a spec: name a .nnspec file in it"),
        ("", "folder, not a spec"),
        ("x" * 5000, "it cannot be read"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told_at_its_include(write: Write, path: str, help: str) -> None:
    write("sub/x", "")
    (error,) = found_in(write("net.nnspec", f'input 4\ndense 3\ninclude "{path}"\n'))
    assert (error.code, error.span.source.place(error.span.start)) == ("E001", (3, 9))
    assert error.help is not None and help in error.help


def test_a_missing_include_is_the_only_error_where_the_network_may_stand_in_it(write: Write) -> None:
    assert [error.code for error in found_in(write("net.nnspec", 'include "missing.nnspec"\noptimizer adam\n'))] == [
        "E001"
    ]


def test_includes_may_be_sixty_four_deep(write: Write) -> None:
    write("f0.nnspec", "input 4\ndense 3\n")
    for depth in range(1, 66):
        write(f"f{depth}.nnspec", f'include "f{depth - 1}.nnspec"\n')
    assert spec(Path("f64.nnspec")).nodes
    assert found_in(Path("f65.nnspec"))[0].help == "the includes are more than 64 deep"


def test_what_is_included_counts_into_the_length_of_the_spec(write: Write) -> None:
    for name in ("a", "b", "c"):
        write(f"{name}.nnspec", "#" * 600_000)
    found = found_in(
        write("net.nnspec", 'include "a.nnspec"\ninclude "b.nnspec"\ninclude "c.nnspec"\ninput 4\ndense 3\n')
    )
    assert [(error.code, error.span.text) for error in found] == [("E001", '"c.nnspec"')]


def test_an_include_inside_a_variant_is_told() -> None:
    from tests.support.spec_findings import error_of

    text = 'input 4\ndense 3\nvariant a {\n  include "b.nnspec"\n}\n'
    assert error_of(text).message == "an include is inside a variant"


def test_an_included_file_that_is_no_text_is_told_with_its_name(write: Write) -> None:
    Path("base.nnspec").write_bytes(b"\xff\xfe\x00")
    (error,) = found_in(write("net.nnspec", 'include "base.nnspec"\ninput 4\ndense 3\n'))
    assert (error.code, error.span.shown()) == ("E001", "base.nnspec:1:1")
