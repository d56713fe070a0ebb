"""Weights of one layer that another one uses."""

import pytest

import nnspec
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.examination import check_source, examine_source
from nnspec.spec_lang.check.spec import Spec, Tie
from nnspec.spec_lang.source import Source

TEXT = "input 6\nembed 8 vocab=11 -> {} -> dense 11 softmax as=embed1"
TWICE = "block twice(w) = dense $w -> dense $w as=dense1"


def checked(text: str) -> Spec:
    return check_source(Source("a test", text))


def ties(spec: Spec) -> dict[str, dict[str, Tie]]:
    return {node.name: dict(node.ties) for node in spec.nodes if node.ties}


def test_a_dense_layer_after_an_embedding_takes_its_weight_transposed_and_has_a_bias_of_its_own() -> None:
    spec = checked(TEXT.format("lstm 8 return=sequence"))
    assert ties(spec) == {"dense1": {"weight": Tie("embed1/weight", True)}}
    names = [name for name in spec.parameters() if not name.startswith("lstm1")]
    assert names == ["embed1/weight", "dense1/bias"]


def test_a_layer_of_the_same_kind_takes_all_arrays() -> None:
    spec = checked("input 5x3 -> lstm 3 return=sequence -> lstm 3 as=lstm1 -> dense 2")
    assert ties(spec)["lstm2"] == {
        name: Tie(f"lstm1/{name}", False) for name in ("input_weight", "hidden_weight", "bias")
    }


def test_the_second_half_of_an_autoencoder_is_the_first_transposed() -> None:
    assert ties(checked("input 12 -> dense 5 tanh -> dense 12 as=dense1")) == {
        "dense2": {"weight": Tie("dense1/weight", True)}
    }


def test_what_a_layer_has_taken_itself_is_followed_to_its_owner() -> None:
    spec = checked("input 12 -> dense 5 -> dense 12 as=dense1 -> dense 5 as=dense2 -> dense 12 as=dense3")
    assert ties(spec)["dense3"]["weight"] == Tie("dense1/weight", False)
    assert ties(spec)["dense4"]["weight"] == Tie("dense1/weight", True)
    assert spec.parameter_count == 12 * 5 + 2 * (5 + 12)


def test_names_are_looked_up_in_the_block_first_and_then_around_it() -> None:
    text = f"{TWICE}\ninput 4\ndense 4 -> twice 4 -> twice 4 -> dense 4 as=dense1"
    spec = checked(text)
    assert {name: own["weight"].array for name, own in ties(spec).items()} == {
        "twice1/dense2": "twice1/dense1/weight",
        "twice2/dense2": "twice2/dense1/weight",
        "dense2": "dense1/weight",
    }
    outside = checked("block more(w) = dense $w as=first\ninput 4\nfirst: dense 4 -> more 4")
    assert ties(outside)["more1/dense1"]["weight"].array == "first/weight"


def test_the_canonical_text_means_the_same() -> None:
    text = f"{TWICE}\ninput 4\ndense 4 -> repeat 2 (twice 4) -> dense 4 as=dense1"
    spec = checked(text)
    again = checked(canonical_text(spec))
    assert ties(again) == ties(spec)
    assert again.parameters() == spec.parameters()


@pytest.mark.parametrize(
    ("text", "code", "said", "help"),
    [
        (TEXT.format("lstm 16 return=sequence"), "E301", "16x11, that of embed1, transposed, 8x11", "dense 8 ->"),
        (TEXT.format("lstm 8 return=sequence").replace("dense 11", "dense 12"), "E301", "8x12", "dense 11 in place of"),
        (TEXT.format("lstm 8").replace("as=embed1", "as=embd1"), "E103", 'called "embd1"', "did you mean embed1?"),
        ("input 4 -> dense 4 as=dense2 -> dense 4", "E103", 'called "dense2"', "leave as= out"),
        ("input 4 -> dense 8 -> dense 8 as=dense1", "E301", "is 8x8, that of dense1 4x8", "the same arguments"),
        ("input 8x8x3 -> conv 3x3 x3 -> conv 5x5 x3 as=conv1", "E301", "5x5x3x3", "the same arguments"),
        ("input 5x3 -> lstm 3 return=sequence -> gru 3 as=lstm1", "E301", "gru cannot use", "an earlier gru"),
        ("input 4 -> dense 4 -> relu -> dense 4 as=relu1", "E301", "relu1 is relu, which has no", "with weights"),
        ("input 4 -> dense 4 -> dense 4 as=dense1 init=he", "E301", "those of dense1", "leave init= out"),
    ],
)
def test_what_does_not_fit_is_said_once_and_with_what_to_write(text: str, code: str, said: str, help: str) -> None:
    (found,) = examine_source(Source("a test", text)).found
    assert found.code == code
    assert said in " ".join([found.message, *found.notes])
    assert found.help is not None and help in found.help


def test_the_gradients_of_both_uses_add_up() -> None:
    """The gradient of the one array is the slope of the loss, through both uses."""
    network = nnspec.compile(
        "input 3 -> dense 3 bias=no -> dense 3 bias=no as=dense1\nloss mse", dtype="float64", seed=1
    )
    (name,) = network.parameters
    weight = network.parameters[name]
    x, y = [[1.0, 2.0, -1.0]], [[0.5, 0.0, 1.0]]
    loss, gradients = network.loss_and_gradients(x, y)
    step = 1e-6
    for place in ((0, 0), (1, 2), (2, 1)):
        moved = []
        for sign in (1, -1):
            changed = weight.copy()
            changed[place] += sign * step
            network.set_parameters({name: changed})
            moved.append(network.loss_and_gradients(x, y)[0])
        assert abs((moved[0] - moved[1]) / (2 * step) - gradients[name][place]) < 1e-8
    assert loss > 0
