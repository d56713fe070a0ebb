"""nnspec sample."""

import re
from pathlib import Path

import pytest

from nnspec import api
from tests.nnspec.conftest import Command

NAMES = ("anna", "ada", "bob", "bea", "cleo", "cära")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that has learnt six names by heart. No test writes into it."""
    folder = tmp_path_factory.mktemp("names")
    (folder / "names.txt").write_text("\n".join(NAMES), encoding="utf-8")
    train = "optimizer adam lr=0.02\ntrain 250 epochs batch=6 evaluate_every=250"
    spec = f"onehot -> gru 16 return=sequence -> dense 11 softmax\n{train}"
    api.train(spec, folder / "run", data=f'text "{folder / "names.txt"}" by=line split=100/0')
    return folder / "run"


def test_ten_names_are_drawn_a_line_each_and_the_seed_that_was_taken_draws_them_again(
    nnspec: Command, names: Path
) -> None:
    drawn = nnspec("sample", names)
    lines = drawn.out.splitlines()
    assert drawn.code == 0 and len(lines) == 10
    assert sum(line in NAMES for line in lines) >= 5
    seed = re.search(r"sampled with --seed (\d+)", drawn.err)
    assert seed is not None
    again = nnspec("sample", names, "--seed", seed[1])
    assert again.out == drawn.out and "drawn with" not in again.err


def test_two_seeds_differ_and_one_repeats(nnspec: Command, names: Path) -> None:
    one, other = (nnspec("sample", names, "-n", 20, "--seed", seed).out for seed in (1, 2))
    assert one != other
    assert nnspec("sample", names, "-n", 20, "--seed", 1).out == one


def test_a_prompt_begins_each_name_and_the_most_probable_letters_end_it(nnspec: Command, names: Path) -> None:
    for greedy in (("--temperature", 0), ("--top-k", 1)):
        assert nnspec("sample", names, "-n", 2, "--prompt", "cl", *greedy).out == "cleo\ncleo\n"
    assert nnspec("sample", names, "-n", 1, "--prompt", "cä", "--temperature", 0).out == "cära\n"


def test_json_has_the_seed_and_the_names(nnspec: Command, names: Path) -> None:
    asked = nnspec("sample", names, "-n", 3, "--seed", 4, "--json").json
    assert (asked["format_version"], asked["seed"]) == (1, 4)
    assert asked["samples"] == nnspec("sample", names, "-n", 3, "--seed", 4).out.splitlines()


def test_a_letter_that_the_vocabulary_lacks_is_named_with_those_there_are(nnspec: Command, names: Path) -> None:
    failed = nnspec("sample", names, "--prompt", "xa")
    assert (failed.code, failed.out) == (1, "")
    assert 'the prompt, character 1, has "x" (U+0078), which the vocabulary lacks; it has a b c d e' in failed.err
    assert "it has the small letter" in nnspec("sample", names, "--prompt", "A").err


def test_one_text_is_drawn_from_a_network_of_a_text_to_the_length_asked_for(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("to be or not to be\n" * 30)
    spec = "embed 4 -> rnn 8 return=sequence -> dense 8 softmax"
    trained = nnspec("train", spec, "--data", 'text "book.txt" window=8', "--set", "train.epochs=1", "--out", "run")
    assert trained.code == 0 and "nnspec sample run" in trained.out
    drawn = nnspec("sample", "run", "--seed", 1, "--length", 40).out
    assert len(drawn) == 41 and set(drawn) <= set("to be or not to be\n")


def test_a_network_without_letters_is_told_what_to_do_instead(nnspec: Command, prices: Path) -> None:
    failed = nnspec("sample", prices)
    assert failed.code == 2 and "was not trained on text" in failed.err
    assert nnspec("sample", prices, "--temperature", "-1").code == 2
