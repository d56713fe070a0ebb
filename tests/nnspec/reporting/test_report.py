"""The report of a run: what fits it, in one file, with a text for every picture, whatever the names."""

import json
import re
import shutil
import statistics
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec.reporting.page import MOST_BYTES
from tests.nnspec.reporting.conftest import HOSTILE, MAKERS, Parsed, parsed, rarely

Reports = Callable[[str], Path]
EVERY = ["digits", "flowers", "prices", *MAKERS]

ALWAYS = ["result", "spec", "graph", "environment", "repeat"]
SECTIONS = {
    "digits": ["result", "spec", "graph", "curves", "confusion", "mistakes", "weights", "occlusion"],
    "flowers": ["result", "spec", "graph", "curves", "confusion", "mistakes", "weights"],
    "prices": ["result", "spec", "graph", "curves", "mistakes", "weights"],
    "series": ["result", "spec", "graph", "curves", "predictions", "mistakes", "weights"],
    "text": ["result", "spec", "graph", "curves", "texts", "weights"],
    "diverged": ["result", "spec", "graph", "confusion", "mistakes", "weights", "occlusion"],
}


def _alts(page: Parsed) -> list[str]:
    return [str(attributes.get("alt")) for attributes in page.named("img")]


@pytest.mark.parametrize("name", rarely(EVERY))
def test_a_page_needs_nothing_else_and_can_be_mailed(reports: Reports, name: str) -> None:
    file = reports(name)
    page = parsed(file)
    assert file.stat().st_size < 3_000_000 and MOST_BYTES < 3_000_000
    for _, attributes in page.tags:
        for key in ("src", "srcset", "href", "action", "data", "poster"):
            assert re.match(r"data:image/(png|svg\+xml);base64,|#", attributes.get(key) or "#")
    assert "link" not in {tag for tag, _ in page.tags} and not page.named("script")
    policy = next(a["content"] for a in page.named("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")


@pytest.mark.parametrize("name", rarely(EVERY))
def test_a_page_can_be_read_without_seeing_it(reports: Reports, name: str) -> None:
    page = parsed(reports(name))
    assert page.named("html")[0]["lang"] == "en"
    assert len(page.named("main")) == len(page.named("header")) == len(page.named("nav")) == len(page.named("h1")) == 1
    assert all(len(attributes.get("alt") or "") > 20 for attributes in page.named("img"))
    assert all(attributes.get("scope") in ("col", "row") for attributes in page.named("th"))
    assert len(page.named("caption")) == len(page.named("table"))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and all(b - a <= 1 for a, b in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] for attributes in page.named("a")]
    assert {f"#{section}" for section in page.sections} <= set(links)


@pytest.mark.parametrize("name", rarely(SECTIONS))
def test_a_report_shows_what_fits_the_network_and_its_data(reports: Reports, name: str) -> None:
    sections = [s for s in parsed(reports(name)).sections if s not in ("features", "calibration")]
    assert sections == [*SECTIONS[name], "environment", "repeat"]
    assert set(ALWAYS) <= set(sections)


def test_the_result_is_beside_the_baseline_and_the_spec_has_its_colours(reports: Reports) -> None:
    page = parsed(reports("digits"))
    assert "baseline: majority class, test" in page.text
    assert re.search(r"test accuracy [\d.]+ %, baseline 10\.00 %", page.text)
    assert {"c-layer", "c-number"} <= {attributes.get("class") for attributes in page.named("span")}


def test_a_picture_is_drawn_for_dark_screens_too(reports: Reports) -> None:
    page = parsed(reports("flowers"))
    sources = page.named("source")
    assert sources and all(source["media"] == "screen and (prefers-color-scheme: dark)" for source in sources)


def test_the_commands_repeat_the_run(reports: Reports, flowers: Path) -> None:
    text = parsed(reports("flowers")).text
    assert f"nnspec reproduce {flowers}" in text and f"nnspec train {flowers}/resolved.nnspec --out runs/again" in text


def test_data_and_environment_have_their_digests(reports: Reports, flowers: Path) -> None:
    from nnspec.runtime.train.checkpointing import load_run

    saved, text = load_run(flowers / "last.h5"), parsed(reports("flowers")).text
    assert saved.meta["data_digest"] in text and saved.network.spec.data_files[0].digest in text
    assert saved.meta["environment"]["probe"] in text and saved.meta["environment"]["numpy"] in text


def test_the_worst_mistakes_are_those_of_which_the_network_is_most_certain(reports: Reports, digits: Path) -> None:
    from nnspec.reporting.run import open_reported
    from nnspec.runtime.infer.evaluation import class_probabilities

    run = open_reported(digits)
    beliefs, truth = class_probabilities(run.outputs), run.split[1].targets
    wrong = np.flatnonzero(beliefs.argmax(axis=1) != truth)
    worst = wrong[np.argmax(beliefs[wrong].max(axis=1) - beliefs[wrong, truth[wrong]])]
    page = parsed(reports("digits"))
    first = next(a["alt"] for a in page.named("img") if (a.get("alt") or "").startswith("Sample"))
    assert first is not None
    assert first.startswith(
        f"Sample {worst}: truth {truth[worst]}, the network believes {beliefs[worst].argmax()}\N{NO-BREAK SPACE}("
    )
    assert f"{len(wrong)} of {len(truth):,} samples of the test split are classified wrongly" in page.text


def test_hostile_names_are_texts(reports: Reports) -> None:
    file = reports("hostile")
    page, source = parsed(file), file.read_text(encoding="utf-8")
    assert not page.named("script") and not page.named("svg")
    assert all((a.get("src") or "").startswith("data:") for a in page.named("img"))
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    assert HOSTILE.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e") in page.text, "it is shown as it is"
    assert "{{7*7}}" in page.text and "\x1b" not in source and "\u202e" not in source
    assert "</code></pre><script>alert(2)</script>" in page.text


def test_images_for_images_are_shown_as_input_target_and_output(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((20, 8, 8, 1)).astype(np.float32)
    nnspec.train("conv 3x3 x1 pad=same\nloss mse\ntrain 2 epochs", tmp_path / "run", data=(x, x), validation=(x, x))
    page = parsed(nnspec.report(tmp_path / "run", data=(x, x), validation=(x, x)))
    alts = [str(a["alt"]) for a in page.named("img")]
    assert sum(": target." in alt for alt in alts) == 6 and "root mean squared error" in page.text


def test_scores_are_not_called_probabilities(tmp_path: Path) -> None:
    run = tmp_path / "run"
    nnspec.train("maxpool 4 -> dense 10\nloss hinge", run, {"train.epochs": 1}, data="mnist_sample")
    page = parsed(nnspec.report(run))
    beliefs = [str(a["alt"]) for a in page.named("img") if "the network believes" in str(a["alt"])]
    assert beliefs and all("(score\N{NO-BREAK SPACE}" in belief and "%" not in belief for belief in beliefs)


@pytest.mark.long
def test_a_diverged_run_says_so_and_one_epoch_has_its_curve(reports: Reports) -> None:
    assert "The run diverged: the loss is" in parsed(reports("diverged")).text
    one = parsed(reports("one"))
    assert "at one evaluation" in next(a["alt"] or "" for a in one.named("img") if "Curves" in (a["alt"] or ""))


def test_folds_have_means_and_a_section_each(reports: Reports) -> None:
    file = reports("folds")
    page, accuracies = parsed(file), []
    assert page.sections == [
        "result", "folds", "spec", "graph", "curves", "fold-1", "fold-2", "fold-3", "environment", "repeat",
    ]  # fmt: skip
    for number in (1, 2, 3):
        end = json.loads((file.parent / "folds" / f"fold-{number}" / "metrics.jsonl").read_text().splitlines()[-1])
        accuracies.append(100 * end["validation_accuracy"])
    mean, deviation = statistics.fmean(accuracies), statistics.stdev(accuracies)
    assert f"validation accuracy {mean:.2f} % ± {deviation:.2f} %" in page.text
    assert "accuracy > 1 %" in page.text
    assert all("on the validation split" in alt for alt in _alts(page) if "Confusion" in alt)
    markdown = nnspec.report_markdown(file.parent / "folds")
    assert f"in 3 folds: validation accuracy {mean:.2f} %" in markdown.splitlines()[0]
    assert f"nnspec reproduce {file.parent / 'folds'}" in markdown


@pytest.mark.long
def test_folds_that_are_not_complete_say_so(reports: Reports, tmp_path: Path) -> None:
    shutil.copytree(reports("folds").parent / "folds", tmp_path / "folds")
    shutil.rmtree(tmp_path / "folds" / "fold-2")
    page = parsed(nnspec.report(tmp_path / "folds"))
    assert "2 of 3 folds have a checkpoint" in page.text and "fold-2" not in page.sections
    assert "What the spec expects" not in page.text


def test_data_that_are_gone_are_said_and_the_rest_is_shown(flowers: Path, tmp_path: Path) -> None:
    shutil.copytree(flowers.parent, tmp_path / "moved")
    (tmp_path / "moved" / "flowers.csv").unlink()
    page = parsed(nnspec.report(tmp_path / "moved" / "run"))
    assert (tmp_path / "moved" / "run" / "report.html").exists()
    assert "The data are not here" in page.text and "confusion" not in page.sections and "curves" in page.sections


def test_a_run_on_arrays_is_shown_with_them(tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 3
    nnspec.train("dense 3 softmax\ntrain 5 iterations", tmp_path / "run", {"data.split": "80/20"}, data=(x, y))
    without = parsed(nnspec.report(tmp_path / "run"))
    assert "nnspec.report(path, data=(x, y))" in without.text and "nnspec.reproduce(" in without.text
    shown = parsed(nnspec.report(tmp_path / "run", data=(x, y), split="train"))
    assert "on the train split" in shown.text + "".join(str(a.get("alt")) for a in shown.named("img"))


def test_equal_runs_give_equal_reports(reports: Reports, digits: Path, tmp_path: Path) -> None:
    assert nnspec.report(digits, tmp_path / "again.html").read_bytes() == reports("digits").read_bytes()


def test_a_page_that_would_be_too_large_leaves_dark_pictures_out_first_and_then_large_ones() -> None:
    from nnspec.reporting.blocks import Image, Page, Section
    from nnspec.reporting.page import render

    small = Image("data:image/png;base64,AAAA", "A small one that stays.", "data:image/png;base64," + "B" * 1_000_000)
    large = Image("data:image/png;base64," + "C" * 2_000_000, "A large one that stays.")
    page = Page("p", "s", [Section("a", "A", [small, large])])
    text = render(page)
    assert len(text) < MOST_BYTES and "CCC" in text and "BBB" not in text
    huge = Image("data:image/png;base64," + "D" * 4_000_000, "A huge one.")
    text = render(Page("p", "s", [Section("a", "A", [huge, large])]))
    assert len(text) < MOST_BYTES and "DDD" not in text and "A huge one. The picture is left out" in text
