"""What a run's checkpoint holds beside its numbers."""

import json
from pathlib import Path

import checkpoints
from tests.reliability.commands import at_step, nnspec, no_fsync, write_data

NET = '# how it is put together\ninclude "parts/base.nnspec"\ndense 4 relu -> dense 3 softmax\n'
BASE = '# größe\ninclude "data.nnspec"\ntrain 6 iterations batch=8\n'
DATA = 'data npz "data.npz" split=75/25\n'


def texts(file: Path) -> dict[str, str]:
    entries = checkpoints.read(file).entries
    return {name: text for name, text in entries.items() if name.startswith("spec/") and isinstance(text, str)}


def test_the_texts_that_a_spec_includes_are_kept_as_they_were_written(tmp_path: Path) -> None:
    """Going on needs none of these files, and saves them again all the same."""
    write_data(tmp_path)
    (tmp_path / "parts").mkdir()
    for name, text in (("net.nnspec", NET), ("parts/base.nnspec", BASE), ("parts/data.nnspec", DATA)):
        (tmp_path / name).write_text(text)
    with no_fsync():
        with at_step(2):
            stopped = nnspec(tmp_path, "train", "net.nnspec", "--out", "run")
        assert stopped.exit_code == 130, stopped.stderr
        before = texts(tmp_path / "run" / "last.h5")
        assert before["spec/source"] == NET
        assert json.loads(before["spec/included"]) == {"parts/base.nnspec": BASE, "parts/data.nnspec": DATA}
        assert "include" not in before["spec/resolved"]
        (tmp_path / "parts" / "base.nnspec").write_text("train 99 epochs")
        (tmp_path / "net.nnspec").unlink()
        assert nnspec(tmp_path, "resume", "run").exit_code == 0
    assert texts(tmp_path / "run" / "last.h5") == before
