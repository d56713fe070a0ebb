"""Specs are read and written with a revision, and every tab hears of it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from nnspec.studio.folder import Conflict, Folder
from nnspec.studio.hub import MOST_WAITING, Hub
from tests.nnspec.studio.conftest import SPEC, Asked


def test_a_spec_is_written_where_its_revision_is_still_the_one_that_was_read(asked: Asked, folder: Path) -> None:
    found = asked.get("/api/files/digits.nnspec").json()
    assert found["text"] == SPEC
    written = asked.send("/api/files/digits.nnspec", {"text": "dense 3\n", "revision": found["revision"]}, "PUT")
    assert written.status_code == 200 and (folder / "digits.nnspec").read_text() == "dense 3\n"
    late = asked.send("/api/files/digits.nnspec", {"text": "dense 4\n", "revision": found["revision"]}, "PUT")
    assert late.status_code == 409 and late.json()["text"] == "dense 3\n" and not late.json()["gone"]
    assert late.json()["revision"] == written.json()["revision"]
    assert (folder / "digits.nnspec").read_text() == "dense 3\n"


def test_a_spec_that_an_editor_has_changed_is_not_overwritten(asked: Asked, folder: Path) -> None:
    found = asked.get("/api/files/digits.nnspec").json()
    (folder / "digits.nnspec").write_text("dense 5\n")
    late = asked.send("/api/files/digits.nnspec", {"text": "dense 3\n", "revision": found["revision"]}, "PUT")
    assert late.status_code == 409 and late.json()["text"] == "dense 5\n"
    (folder / "digits.nnspec").unlink()
    gone = asked.send("/api/files/digits.nnspec", {"text": "dense 3\n", "revision": found["revision"]}, "PUT")
    assert gone.status_code == 409 and gone.json()["gone"]
    assert not (folder / "digits.nnspec").exists()


def test_a_new_spec_takes_no_other_ones_place(asked: Asked, folder: Path) -> None:
    assert asked.send("/api/files/new.nnspec", {"text": "dense 1\n", "revision": None}, "PUT").status_code == 200
    assert asked.send("/api/files/new.nnspec", {"text": "dense 2\n", "revision": None}, "PUT").status_code == 409
    assert (folder / "new.nnspec").read_text() == "dense 1\n"
    assert [file["name"] for file in asked.get("/api/state").json()["files"]] == ["digits.nnspec", "new.nnspec"]
    nowhere = asked.send("/api/files/none/new.nnspec", {"text": "dense 1\n", "revision": None}, "PUT")
    assert nowhere.status_code == 422 and "cannot be written" in nowhere.json()["error"]


def test_line_ends_and_a_byte_order_mark_of_other_editors_do_no_harm(folder: Path) -> None:
    path = folder / "windows.nnspec"
    path.write_bytes("\ufeff# ä\r\ndense 1\r\n".encode())
    found = Folder(folder).read("windows.nnspec")
    assert found.text == "# ä\ndense 1\n"
    Folder(folder).write("windows.nnspec", "# ä\ndense 2\n", found.revision)
    assert path.read_bytes() == "# ä\r\ndense 2\r\n".encode()


def test_two_writers_at_once_do_not_both_succeed(folder: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    studio = Folder(folder)
    revision = studio.read("digits.nnspec").revision

    def write(number: int) -> bool:
        try:
            studio.write("digits.nnspec", f"dense {number}\n", revision)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(1, 9))) == 1


def test_folders_of_runs_and_hidden_ones_have_no_specs_to_edit(folder: Path) -> None:
    for name in ("runs/a", ".git", "deep/er", "own", "a/b/c/d/e"):
        (folder / name).mkdir(parents=True)
        (folder / name / "spec.nnspec").write_text("dense 1\n")
    (folder / "own" / "metrics.jsonl").write_text("")
    assert Folder(folder).specs() == ["deep/er/spec.nnspec", "digits.nnspec"]


def test_a_home_with_thousands_of_folders_is_not_searched_to_its_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnspec.studio.folder.MOST_FOLDERS", 5)
    for number in range(20):
        (folder / f"many{number:02}").mkdir()
        (folder / f"many{number:02}" / "x.nnspec").write_text("dense 1\n")
    assert len(Folder(folder).specs()) == 5  # the folder's own, and four others


def test_the_language_answers_for_the_page(asked: Asked, folder: Path) -> None:
    (folder / "base.nnspec").write_text("data mnist_sample\n")
    given = {"text": 'include "base.nnspec"\ndense 10 sofmax\n', "name": "digits.nnspec"}
    found = asked.send("/api/language/analyse", given).json()
    assert [(one["line"], one["fixes"][0]["edits"][0]["text"]) for one in found["diagnostics"]] == [(2, "softmax")]
    offset = given["text"].index("sofmax") + 3
    items = asked.send("/api/language/complete", {**given, "offset": offset}).json()["items"]
    assert "softmax" in [item["text"] for item in items]
    about = asked.send("/api/language/hover", {**given, "offset": given["text"].index("dense") + 1}).json()
    assert "dense" in about["text"] and asked.send("/api/language/hover", {**given, "offset": 22}).json() in (
        None,
        about,
    )
    table = {"text": 'dense 3 softmax\ndata csv "a.csv" target=b', "name": "digits.nnspec", "sample": [4]}
    assert asked.send("/api/language/analyse", table).json()["totals"]["parameters"] == 15
    shipped = asked.get("/api/shipped").json()
    assert {"quickstart", "mnist_cnn"} <= {spec["name"] for spec in shipped} and all(spec["text"] for spec in shipped)


def test_every_tab_hears_the_same_messages_with_growing_revisions() -> None:
    async def tabs() -> list[list[dict[str, Any]]]:
        hub = Hub()
        streams = [hub.stream({"kind": "state"}) for _ in range(2)]
        firsts = [await anext(stream) for stream in streams]
        for number in range(3):
            await asyncio.to_thread(hub.tell, "file", name=str(number))
        hub.close()
        rest = [[message async for message in stream] for stream in streams]
        assert hub.listeners == 0
        return [[json.loads(text[6:]) for text in (first, *others)] for first, others in zip(firsts, rest, strict=True)]

    one, other = asyncio.run(tabs())
    assert one == other and [message["kind"] for message in one] == ["state", "file", "file", "file"]
    assert [message["revision"] for message in one] == [0, 1, 2, 3]


def test_a_tab_that_does_not_read_is_told_that_it_has_missed_something_and_costs_no_memory() -> None:
    async def slow() -> list[dict[str, Any]]:
        hub = Hub()
        stream = hub.stream({"kind": "state"})
        await anext(stream)
        for number in range(3 * MOST_WAITING):
            hub.tell("file", name=str(number))
            await asyncio.sleep(0)
        hub.close()
        return [json.loads(text[6:]) async for text in stream]

    heard = asyncio.run(slow())
    assert len(heard) <= MOST_WAITING + 1 and heard[0]["kind"] == "missed"
    assert heard[-1]["revision"] == 3 * MOST_WAITING


@pytest.mark.parametrize("change", ["file", "run"])
def test_what_others_change_in_the_folder_is_told(asked: Asked, folder: Path, digits: Path, change: str) -> None:
    import shutil

    asked.studio.tell_changes()
    before = asked.studio.hub.revision
    asked.studio.tell_changes()
    assert asked.studio.hub.revision == before
    if change == "file":
        (folder / "digits.nnspec").write_text("dense 7\n")
    else:
        shutil.copytree(digits, folder / "runs" / "copied")
    asked.studio.tell_changes()
    assert asked.studio.hub.revision == before + 1
