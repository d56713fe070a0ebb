"""The specs of sequences as experiments: baselines, what a run is measured by, the section of the page."""

import re
from pathlib import Path

import pytest

import nnspec
from benchmarks.experiments import sequences, shipped
from benchmarks.experiments.sequence_results import (
    DINOS,
    SERIES,
    Result,
    Spelling,
    counted,
    floor,
    picture,
    read_results,
    section,
    write_results,
)
from benchmarks.experiments.shipped import SEEDS, SPECS, Experiment, digest
from nnspec.runtime.train.spec_and_data import spec_data

STATEFUL = Experiment("sine_rnn", "stateful")


def series(rmse: float, key: str = "") -> Result:
    return Result(key, {"rmse": rmse, "rolled": 0.7}, 2.0, "a machine")


def names(bits: float) -> Result:
    samples = {"1": ["rexosaurus"], "2": ["minidon"]}
    return Result("", {"bits": bits, "new": 0.9, "well_formed": 0.8}, 2.0, "a machine", samples)


def row(text: str, name: str) -> list[str]:
    """The cells of the row of a table that begins with a name, or with a link of that name."""
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    cells = next(cells for cells in rows if cells[0].strip() == name or f"[{name}]" in cells[0])
    return [cell.strip() for cell in cells]


def test_least_squares_on_ten_points_is_between_the_noise_and_a_tenth_more() -> None:
    assert 0.095 < floor().noise < 0.105
    assert 1.04 * floor().noise < floor().least_squares < 1.12 * floor().noise


def test_the_trigram_is_worse_than_the_best_n_gram_and_far_better_than_letters_by_lot() -> None:
    assert counted().best < counted().trigram < 3
    assert (counted().names, counted().new) == (153, 1)
    assert 0.9 < counted().well_formed < 1


def test_a_name_is_well_formed_where_training_names_have_all_its_pairs_and_its_length() -> None:
    spelling = Spelling(frozenset({"\na", "ab", "bc", "c\n", "ca"}), range(3, 7))
    assert [spelling.accepts(name) for name in ("abc", "abcabc", "abcabcabc", "bca", "ab", "")] == [
        True, True, False, False, False, False,
    ]  # fmt: skip
    learnt = Spelling.of(spec_data(DINOS.check()))
    assert learnt.accepts("tyrannosaurus") and not learnt.accepts("qqqq")


def test_the_section_has_medians_beside_least_squares_and_counting() -> None:
    results = {(STATEFUL, seed): series(0.1 + seed / 1000) for seed in SEEDS}
    results |= {(DINOS, seed): names(2 + seed / 10) for seed in SEEDS[:2]}
    text = section(results)
    told = row(text, "sine_rnn/stateful")
    assert told[1:4] == ["every point before", "200 epochs, batch 7", "0.1020 (0.1010 to 0.1030)"]
    assert told[4] == f"{100 * (0.102 / floor().least_squares - 1):+.1f} %"
    assert row(text, "dinos")[2:] == ["2.150 (2.100 to 2.200); 2 of 3 runs made", "90.0 %", "80.0 %", "2.0"]
    assert row(text, "trigram")[2] == f"{counted().trigram:.3f}"
    assert row(text, "sine_dense")[3] == "not run"
    assert "- `--seed 1`: rexosaurus\n- `--seed 2`: minidon" in text


def test_every_picture_of_the_section_is_one_that_is_drawn_and_each_variant_is_explained() -> None:
    text = section({})
    shown = re.findall(r"\(pictures/(\S+)\)", text)
    assert sorted(shown) == sorted(picture(experiment) for experiment in SERIES)
    variants = {f"{path.stem}/{name}" for path in SPECS.glob("sine*.nnspec") for name in shipped.comments(path)}
    assert variants == {experiment.name for experiment in SERIES if experiment.variant}
    assert all(f"- **{name}**: " in text for name in variants)


def test_results_are_read_as_they_were_written_and_forgotten_where_the_spec_has_changed(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    known = {(STATEFUL, 1): series(0.1, digest(STATEFUL, 1))}
    write_results(known | {(STATEFUL, 2): series(0.1, "another")}, kept)
    assert read_results(kept) == known


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Specs of the same names that train in no time."""
    monkeypatch.setattr(shipped, "SPECS", tmp_path)
    (tmp_path / "sine_rnn.nnspec").write_text(
        "rnn 4 -> dense 1\ndata sine length=200 window=5 split=70/10/20\noptimizer adam lr=0.01\ntrain 2 epochs\n"
    )
    (tmp_path / "dinos.nnspec").write_text(
        "onehot -> gru 8 return=sequence -> dense 27 softmax\ndata dinos split=80/10/10\noptimizer adam lr=0.01\n"
        "train 1 epochs batch=16\n"
    )
    return tmp_path


def test_a_run_on_the_sine_is_measured_and_drawn(small: Path) -> None:
    result = sequences.train(Experiment("sine_rnn"), 1, small)
    assert set(result.figures) == {"rmse", "rolled"}
    assert 0.05 < result.figures["rmse"] < 1
    assert (small / "sine_rnn.png").read_bytes().startswith(b"\x89PNG")
    assert result.digest == digest(Experiment("sine_rnn"), 1)


def test_a_run_on_names_is_measured_by_what_it_draws(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequences, "DRAWN", 20)
    result = sequences.train(DINOS, 1, None)
    assert 2 < result.figures["bits"] < 5
    assert result.figures["new"] > 0.5
    one, other = result.samples.values()
    assert len(one) == len(other) == 10 and one != other


def test_a_seed_that_does_not_repeat_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter("abcd")
    monkeypatch.setattr(sequences, "drawn_names", lambda run, seed, count: [next(drawn)])
    run = nnspec.train("dense 1", data=([[0.0], [1.0]], [0.0, 1.0]))
    with pytest.raises(RuntimeError, match="one seed is to draw the same names again"):
        sequences.samples_of(run)


def test_an_unknown_name_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        sequences.main(["sine_rn"])
    assert stopped.value.code == 2
    assert "sine_rnn/stateful" in capsys.readouterr().err
