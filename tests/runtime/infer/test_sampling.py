"""Text that a network makes up."""

from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.sampling import SamplingOptions, TextGenerator

NAMES = "anna\nada\nbob\nbea\ncleo\ncara\n"
SPEC = """
onehot -> rnn 12 return=sequence -> dense 10 softmax
optimizer adam lr=0.02
train 300 epochs batch=6 evaluate_every=300
"""


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Network:
    path = tmp_path_factory.mktemp("names") / "names.txt"
    path.write_text(NAMES)
    run = nnspec.train(SPEC, data=f'text "{path}" by=line split=1/0', out=path.parent / "run")
    return nnspec.load(run.path or "")


def written(network: Network, seed: int, prompt: str = "", taste: SamplingOptions | None = None) -> list[str]:
    generator = TextGenerator(network, seed, taste)
    return ["".join(generator.generate(prompt)) for _ in range(20)]


def test_one_seed_repeats_and_two_differ(names: Network) -> None:
    assert written(names, 1) == written(names, 1) != written(names, 2)
    assert len(set(written(names, 1))) > 3


def test_names_begin_and_end_by_themselves_and_most_are_those_that_were_learnt(names: Network) -> None:
    found = written(names, 3)
    assert all("\n" not in name for name in found)
    assert sum(name in NAMES.split() for name in found) > 10


def test_the_most_probable_is_always_the_same(names: Network) -> None:
    assert len(set(written(names, 1, taste=SamplingOptions(temperature=0)))) == 1
    assert len(set(written(names, 1, taste=SamplingOptions(top_k=1)))) == 1


def test_a_prompt_is_gone_on_from_and_its_letters_must_be_known(names: Network) -> None:
    assert all(name.startswith("cl") for name in written(names, 1, "cl"))
    assert written(names, 1, "cl", SamplingOptions(temperature=0))[0] == "cleo"
    with pytest.raises(nnspec.DataError, match=r'the prompt, character 2, has "x" .* the vocabulary lacks'):
        written(names, 1, "ax")


def test_draws_follow_the_distribution_its_temperature_and_its_top() -> None:
    random, p = np.random.default_rng(1), np.array([0.5, 0.3, 0.2, 0.0])

    def shares(taste: SamplingOptions) -> list[float]:
        drawn = [taste.draw(p, random) for _ in range(4000)]
        shares: list[float] = (np.bincount(drawn, minlength=4) / 4000).tolist()
        return shares

    np.testing.assert_allclose(shares(SamplingOptions()), p, atol=0.03)
    np.testing.assert_allclose(shares(SamplingOptions(0.5)), p**2 / (p**2).sum(), atol=0.03)
    assert shares(SamplingOptions(5e-324)) == [1, 0, 0, 0]
    np.testing.assert_allclose(shares(SamplingOptions(top_k=2)), [0.625, 0.375, 0, 0], atol=0.03)


def test_a_text_goes_on_to_the_length_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("abc" * 300)
    train = "optimizer adam lr=0.05\ntrain 60 epochs batch=4 evaluate_every=60"
    spec = f"embed 4 -> gru 8 return=sequence -> dense 3 softmax\n{train}"
    run = nnspec.train(spec, data=f'text "{path}" window=9', out=tmp_path / "run")
    text = "".join(TextGenerator(run.network, 1, SamplingOptions(0), length=12).generate("ab"))
    assert text == "abcabcabcabc"


def test_a_network_of_numbers_has_no_letters() -> None:
    with pytest.raises(nnspec.DataError, match="was not trained on text"):
        TextGenerator(nnspec.compile("input 4x1\nrnn 2 -> dense 1"), 1)
