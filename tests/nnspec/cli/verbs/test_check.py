"""nnspec check."""

import subprocess
import sys
from pathlib import Path

from nnspec.cli.specs import shipped_specs
from tests.nnspec.conftest import ROOT, Command

BAD = "conv 3x3 x8 -> maxpol 2 -> dense 10 softmax\noptimizer adam lrr=0.1\n"


def test_every_shipped_spec_is_good(nnspec: Command) -> None:
    checked = nnspec("check", *shipped_specs().values())
    assert (checked.code, checked.err) == (0, "")
    assert len(checked.out.splitlines()) == len(shipped_specs())


def test_all_errors_of_all_files_are_told(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "one.nnspec").write_text(BAD)
    (tmp_path / "two.nnspec").write_text("input 4\ndense 0\n")
    (tmp_path / "good.nnspec").write_text("input 4\ndense 2\n")
    checked = nnspec("check", "one.nnspec", "good.nnspec", "two.nnspec")
    assert checked.code == 1
    assert checked.out == "good.nnspec: no errors, 4 → 2, 10 parameters\n"
    assert [place in checked.err for place in ("one.nnspec:1:16", "one.nnspec:2:16", "two.nnspec:2:7")] == [True] * 3
    assert checked.err.endswith("\n\n3 errors\n")


def test_json_is_one_object_with_every_diagnostic(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "bad.nnspec").write_text(BAD)
    checked = nnspec("check", "bad.nnspec", "--json")
    assert (checked.code, checked.err) == (1, "")
    assert (checked.json["format_version"], checked.json["valid"]) == (1, False)
    first, second = checked.json["diagnostics"]
    expected = {
        "code": "E101", "severity": "error", "file": "bad.nnspec", "line": 1, "column": 16, "end_line": 1,
        "end_column": 22, "help": "did you mean maxpool?",
    }  # fmt: skip
    assert {key: first[key] for key in expected} == expected
    assert "maxpol" in first["message"]
    assert (second["code"], second["line"]) == ("E102", 2)


def test_json_of_a_good_spec_has_no_diagnostics(nnspec: Command) -> None:
    checked = nnspec("check", "input 4 -> dense 2 softmax", "--json")
    assert checked.code == 0
    assert checked.json == {"format_version": 1, "valid": True, "diagnostics": []}


def test_sarif_is_one_run_with_every_error_of_all_files(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "one.nnspec").write_text(BAD)
    (tmp_path / "two.nnspec").write_text("input 4\ndense 0\n")
    checked = nnspec("check", "one.nnspec", "two.nnspec", "--sarif")
    assert (checked.code, checked.err) == (1, "")
    (run,) = checked.json["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["E101", "E102", "E202"]
    assert nnspec("check", "input 4 -> dense 2", "--sarif").json["runs"][0]["results"] == []
    assert nnspec("check", "input 4 -> dense 2", "--sarif", "--json").code == 2


def test_a_missing_file_is_wrong_use_and_hides_no_error_of_the_others(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "bad.nnspec").write_text(BAD)
    checked = nnspec("check", "none.nnspec", "bad.nnspec", tmp_path)
    assert checked.code == 2
    assert "none.nnspec: there is no such file" in checked.err
    assert "E101" in checked.err
    assert f"{tmp_path} is a folder" in checked.err


def test_files_that_are_no_specs_are_told_without_a_traceback(nnspec: Command, tmp_path: Path) -> None:
    contents = {
        "empty": b"", "latin": "größe".encode("latin-1"), "zeros": bytes(1000), "huge": b"# long\n" * 200_000,
        "deep": b"input 4\n" + b"(" * 5000, "vast": b"input 4\ndense 10000000000 -> dense 2",
    }  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        checked = nnspec("check", name)
        assert checked.code == 1, name
        assert f"  {name}:" in checked.err and "error[E" in checked.err


def test_no_arrays_are_needed_to_check() -> None:
    script = (
        "import sys\nfrom nnspec.cli import command_line\n"
        "command_line(['check', 'input 4 -> dense 2'], standalone_mode=False)\nprint('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_a_warning_is_printed_and_leaves_the_spec_sound(nnspec: Command) -> None:
    text = "input 32x3 -> maxpool 2 -> dense 5"
    warned = nnspec("check", text)
    assert warned.code == 0 and "no errors, 32x3 → 5, 85 parameters" in warned.out
    assert "warning[W301] maxpool reads 32x3 as an image with one channel" in warned.err and "error" not in warned.err
    told = nnspec("check", text, "--json").json
    assert told["valid"] and [(d["code"], d["severity"]) for d in told["diagnostics"]] == [("W301", "warning")]
    planned = nnspec("plan", text, "--json")
    assert planned.code == 0 and planned.json["layers"][0]["output_shape"] == [16, 1, 1]
    assert "warning[W301]" in planned.err
    both = nnspec("check", "input 32x3 -> maxpool 2 -> dense 5 rellu")
    assert both.code == 1 and "1 error\n" in both.err
