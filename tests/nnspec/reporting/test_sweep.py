"""The report of a sweep: ranking, trials and curves, of this sweep's folder alone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import nnspec
from tests.nnspec.reporting.conftest import HOSTILE, parsed, write_sweep

NAME = HOSTILE.replace("/", "|")


@pytest.fixture
def sweep(tmp_path: Path, flowers: Path, digits: Path) -> Path:
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "metrics.jsonl").write_text('{"event": "diverged"}\n')
    return write_sweep(tmp_path / "sweep", {"first": flowers, NAME: digits, "third": tmp_path / "none"})


def test_a_sweep_has_its_ranking_its_trials_and_its_curves(sweep: Path) -> None:
    file = nnspec.report(sweep)
    assert file == sweep / "report.html"
    page = parsed(file)
    assert page.sections == ["ranking", "trials", "curves", "repeat"]
    assert [a.get("id") for a in page.named("table") if "data-sorts" in a] == ["ranking", "trials"]
    assert "3 trials: 2 done, 1 diverged; best: first" in page.text and "training diverged <b>" in page.text
    assert f"nnspec sweep {sweep}" in page.text
    chart = json.loads(next(a["data-chart"] or "" for a in page.named("div") if a.get("data-chart")))
    assert chart["names"] == ["first", NAME] and chart["picked"] == chart["names"]
    assert next(iter(chart["quantities"])) == "validation_loss"
    steps, values = chart["quantities"]["validation_loss"]["first"]
    assert len(steps) == len(values) == 30


@pytest.mark.worker
def test_a_real_sweep_is_shown_best_first(tmp_path: Path, flowers: Path) -> None:
    text = (flowers.parent / "net.nnspec").read_text().replace("30 epochs", "3 epochs")
    (tmp_path / "flowers.csv").write_bytes((flowers.parent / "flowers.csv").read_bytes())
    (tmp_path / "net.nnspec").write_text(f"{text}\nsweep optimizer.lr = 0.000001, 0.1\n")
    nnspec.sweep(tmp_path / "net.nnspec", tmp_path / "sweep", seeds=(1, 2), jobs=1)
    page = parsed(nnspec.report(tmp_path / "sweep"))
    chart = json.loads(next(a["data-chart"] or "" for a in page.named("div") if a.get("data-chart")))
    assert [name.split(",")[0] for name in chart["names"]] == ["lr=0.1", "lr=0.1", "lr=1e-06", "lr=1e-06"]
    assert next(iter(chart["quantities"])) == "validation_accuracy" and "4 trials: 4 done" in page.text


def test_only_its_own_script_may_run(sweep: Path) -> None:
    page = parsed(nnspec.report(sweep))
    assert len(page.named("script")) == 1 and "src" not in page.named("script")[0]
    policy = next(a["content"] or "" for a in page.named("meta") if a.get("http-equiv"))
    assert "script-src 'sha256-" in policy and "unsafe" not in policy


def test_a_sweep_of_someone_else_leads_out_of_its_folder_nowhere(sweep: Path, flowers: Path) -> None:
    document = json.loads((sweep / "sweep.json").read_text())
    document["trials"][0]["out"] = str(flowers)
    (sweep / "sweep.json").write_text(json.dumps(document))
    chart = next(a["data-chart"] or "" for a in parsed(nnspec.report(sweep)).named("div") if a.get("data-chart"))
    assert json.loads(chart)["names"] == [NAME]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"trials": [{}]}', '{"trials": 3}', "[" * 100_000])
def test_a_damaged_sweep_is_refused_in_words(sweep: Path, content: str) -> None:
    (sweep / "sweep.json").write_text(content)
    with pytest.raises(nnspec.CheckpointError, match="is not the file of a sweep"):
        nnspec.report(sweep)


def test_markdown_has_the_ranking_open_and_the_trials_folded(sweep: Path) -> None:
    text = nnspec.report_markdown(sweep)
    assert text.startswith("## Sweep sweep: 3 trials") and text.index("± deviation") < text.index("<details>")
    assert "<script>" not in text and "&lt;script&gt;" in text


def test_a_sweep_reads_no_data(sweep: Path) -> None:
    with pytest.raises(nnspec.DataError, match="reads no data"):
        nnspec.report(sweep, data="mnist_sample")


def test_a_sweep_without_a_finished_trial_is_a_page_too(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text('{"format_version": 1, "trials": [], "ranking": []}')
    reports: Callable[..., Path] = nnspec.report
    assert parsed(reports(tmp_path)).sections == ["trials", "repeat"]
