"""The whole way from text to a checked spec."""

from pathlib import Path
from time import process_time

import pytest

from nnspec.spec_lang.check import cross_checks as ends
from nnspec.spec_lang.check.examination import check_source, in_order, shape_missing
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.files import open_source
from nnspec.spec_lang.vocabulary.initializers import He
from nnspec.spec_lang.vocabulary.losses import BinaryCrossEntropy, CrossEntropy, Mse
from nnspec.spec_lang.vocabulary.metrics import Accuracy, Rmse
from nnspec.spec_lang.vocabulary.optimizers import Adam
from nnspec.spec_lang.vocabulary.schedules import ConstantRate
from nnspec.spec_lang.vocabulary.statements import Train
from tests.support.spec_findings import codes_of, error_of, errors_of, places_of, spec_of

SHIPPED = sorted((Path(__file__).parents[3] / "specs").glob("*.nnspec"))


def test_one_line_is_a_spec_with_every_default() -> None:
    spec = spec_of("conv 3x3 x8 -> maxpool 2 -> dense 10 softmax", shape=(28, 28, 1))
    assert [node.name for node in spec.nodes] == ["conv1", "maxpool1", "dense1"]
    assert [str(node.output_shape) for node in spec.nodes] == ["26x26x8", "13x13x8", "10"]
    assert (spec.init, spec.loss, spec.optimizer, spec.schedule) == (He(), CrossEntropy(), Adam(), ConstantRate())
    assert (spec.train, spec.early_stop, spec.metrics, spec.data) == (Train(), None, (Accuracy(),), None)
    assert (spec.name, spec.variant, spec.sweeps) == ("network", None, ())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_specs_are_sound_with_all_their_variants(path: Path) -> None:
    spec = check_source(open_source(path))
    assert spec.outline
    assert spec.name == path.stem


def test_a_network_is_called_as_it_says_or_as_its_file(tmp_path: Path) -> None:
    for name, called in (
        ("a", "a"),
        ("my net-2", "my_net_2"),
        ("2nd", "_2nd"),
        ("x8", "_x8"),
        ("repeat", "_repeat"),
        ("--", "network"),
    ):
        path = tmp_path / f"{name}.nnspec"
        path.write_text("input 4\ndense 3\n")
        assert check_source(open_source(path)).name == called
    assert spec_of("network b\ninput 4\ndense 3").name == "b"


@pytest.mark.parametrize(
    ("last", "loss", "metric"),
    [
        ("dense 3 softmax", CrossEntropy, Accuracy),
        ("dense 3 -> softmax", CrossEntropy, Accuracy),
        ("dense 1 sigmoid", BinaryCrossEntropy, Accuracy),
        ("dense 1", Mse, Rmse),
        ("dense 3 relu -> dropout 0.5", Mse, Rmse),
    ],
)  # fmt: skip
def test_the_loss_and_the_metric_follow_from_the_last_layer(last: str, loss: type, metric: type) -> None:
    spec = spec_of(f"input 4\n{last}")
    assert (type(spec.loss), type(spec.metrics[0])) == (loss, metric)


def test_input_may_begin_the_pipeline() -> None:
    assert spec_of("input 28x28 -> dense 10 softmax").input == (28, 28)
    assert spec_of("input 28x28 -> conv 3x3 x8").output_shape == (26, 26, 8)


def test_the_input_line_and_the_data_agree_on_the_shape_of_a_sample() -> None:
    for shape in ("28x28", "28x28x1", "784"):
        assert codes_of(f"data mnist\ninput {shape}\ndense 10 softmax") == []
    for shape in ("28x27", "28x28x3", "783", "1x28x28"):
        error = error_of(f"data mnist\ninput {shape}\ndense 10 softmax")
        assert (error.code, error.help) == ("E301", "write input 28x28x1, or leave the line out")
    assert codes_of("input 4\ndense 3", shape=(4,)) == []
    assert codes_of("input 4\ndense 3", shape=(5,)) == ["E301"]


def test_the_shape_of_a_sample_may_come_from_the_data_line_or_from_the_data_found() -> None:
    assert spec_of("data mnist_sample\ndense 10 softmax").input == (28, 28, 1)
    assert spec_of("dense 10 softmax", shape=(5,)).input == (5,)
    open_ended = spec_of('data csv "a.csv" target=y\ndense 10 relu -> dense 3 softmax')
    assert (open_ended.input, open_ended.nodes) == (None, ())
    assert [name for name, _ in open_ended.outline] == ["dense1", "dense2"]


def test_where_nothing_says_the_shape_whoever_builds_the_network_can_tell() -> None:
    error = shape_missing(spec_of("dense 10 softmax"))
    assert (error.code, error.help) == ("E302", "write a line such as input 28x28x1, or name the data")


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("data mnist\ndense 7 softmax", "the network ends in 7 outputs, mnist has 10 classes",
         "write dense 10 softmax as the last layer"),
        ("data mnist\ndense 7", "the loss mse compares numbers, and mnist has 10 classes",
         "write dense 10 softmax as the last layer"),
        ("data mnist\ndense 10 softmax\nloss mse", "the loss mse compares numbers, and mnist has 10 classes",
         "write loss cross_entropy"),
        ("data mnist\ndense 10\nloss huber", "the loss huber compares numbers, and mnist has 10 classes",
         "write dense 10 softmax as the last layer, and loss cross_entropy"),
        ("input 4\ndense 3 relu\nloss cross_entropy",
         "cross_entropy needs a network that ends in softmax, this one ends in relu",
         "end the last layer in softmax, or write loss mse"),
        ("input 4\ndense 3 softmax\nloss binary_cross_entropy",
         "binary_cross_entropy needs a network that ends in sigmoid, this one ends in softmax",
         "end the last layer in sigmoid, or write loss cross_entropy"),
    ],
)  # fmt: skip
def test_the_ends_of_a_spec_must_meet(text: str, message: str, help: str) -> None:
    found = errors_of(text)
    assert (found[0].code, found[0].message, found[0].help) == ("E303", message, help)


def test_the_number_of_classes_may_come_from_the_data_found() -> None:
    assert codes_of("input 4\ndense 3 softmax", classes=3) == []
    assert (
        error_of("input 4\ndense 3 softmax", classes=4).message
        == "the network ends in 3 outputs, the data has 4 classes"
    )
    assert codes_of("input 4\ndense 1 sigmoid", classes=2) == []


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "input 4\n", "optimizer adam\n", "let w = 3\n"])
def test_a_spec_without_a_network_is_told_what_it_lacks(text: str) -> None:
    assert codes_of(text) == ["E304"]


def test_a_network_of_nothing_but_skips_has_no_layer() -> None:
    assert error_of("input 4\nskip -> (skip)").message == "the network has no layer"


def test_errors_come_in_order_of_place() -> None:
    text = "train 0 epochs\ninput 4\ndense 3 rellu\noptimizer adamm\nloss = mse\nvariant a {\n  init hee\n}\nbogus\n"
    places = places_of(text, settings={"early_stop.patience": 0})
    assert places[:-1] == sorted(places[:-1], key=lambda place: place[1:])
    assert len(places) == 7
    assert places[-1] == ("E202", 1, 21), "settings from outside come last"


def test_variants_are_checked_even_where_they_are_not_chosen() -> None:
    text = "let w = 3\ninput 4x4\nconv 3x3 x$w -> conv 2x2 x3\nvariant a {\n  optimizer sgdd\n}\n"
    text += "variant b {\n  let w = 0\n}\nvariant c { input 3x3 }\n"
    found = errors_of(text)
    assert sorted((error.code, error.span.text) for error in found) == [
        ("E103", "sgdd"),
        ("E202", "x$w"),
        ("E301", "conv 2x2 x3"),
    ]
    assert [trace.what for error in found for trace in error.around()] == ["variant b", "variant c"]


def test_a_sweep_is_checked_value_by_value_and_kept_as_written() -> None:
    text = "let w = 3\ninput 4\ndense $w\noptimizer sgd\n"
    text += "sweep w = 3, 16\nsweep optimizer.lr = 0.1, 1e-3\nsweep optimizer = sgd, adam\n"
    assert spec_of(text).sweeps == (
        ("w", ("3", "16")),
        ("optimizer.lr", ("0.1", "0.001")),
        ("optimizer", ("sgd", "adam")),
    )
    wrong = text.replace("3, 16", "0, relu").replace("1e-3", "fast").replace("sgd, adam", "sgd, adamm")
    found = errors_of(wrong)
    assert [(error.code, error.span.text) for error in found] == [
        ("E105", "dense $w"), ("E202", "$w"), ("E201", "fast"), ("E103", "adamm")
    ]  # fmt: skip
    assert [trace.what for error in found for trace in error.around()] == ["sweep w = relu", "sweep w = 0"]


def test_a_sweep_of_a_key_that_is_not_there_is_told_once() -> None:
    error = error_of("input 4\ndense 3\nsweep widht = 1, 2, 3")
    assert (error.code, error.span.text) == ("E108", "widht")


def test_layers_are_not_statements_and_statements_are_not_layers() -> None:
    assert error_of("input 4 -> dense 3 -> train 5 epochs").message == "train is a statement, not a layer"
    assert error_of("input 4\ndense 3\noptimizer sgd -> relu").message == "optimizer is a statement of its own"


def test_an_error_carries_its_text_and_its_diagnostics() -> None:
    with pytest.raises(SpecError) as raised:
        spec_of("dense 3 rellu\ndense")
    assert len(raised.value.diagnostics) == 2
    assert str(raised.value).startswith('error[E103] no activation is called "rellu"\n  net.nnspec:1:9\n')


def test_no_more_errors_are_told_than_anyone_reads() -> None:
    text = "input 4\n" + "".join(f"frobnicate{i} 3\n" for i in range(20_000))
    assert len(errors_of(text)) == 1000


def test_a_source_of_its_own_comes_before_those_around_it() -> None:
    source = Source("a", "dense 3 rellu")
    found = errors_of(source, settings={"optimizer": "sgdd"})
    assert in_order(reversed(found), source) == found


def test_memory_is_counted_before_anything_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "physical_memory", lambda: 1_000_000_000)
    error = error_of("input 28x28\ndense 10000000000 relu -> dense 10 softmax")
    assert error.code == "E401"
    assert error.message == "training this network takes at least 129.8 TB, this machine has 1.0 GB"
    assert error.span.text == "dense 10000000000 relu"
    assert codes_of("input 28x28\ndense 1000 relu -> dense 10 softmax") == []
    monkeypatch.setattr(ends, "physical_memory", lambda: None)
    assert codes_of("input 28x28\ndense 10000000000") == []


def test_a_sweep_of_many_values_is_checked_as_far_as_a_second_goes() -> None:
    values = ", ".join(map(str, range(20_000)))
    begun = process_time()
    spec = spec_of(f"input 4\ndense 3\nsweep train.seed = {values}\n")
    assert process_time() - begun < 10  # it is a fraction of a second; with work for each value, minutes
    assert len(spec.sweeps[0][1]) == 20_000
    assert codes_of("input 4\ndense 3\nsweep train.seed = 1, 2, -3\n") == ["E202"]
