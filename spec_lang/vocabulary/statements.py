"""The statements that stand alone: network, input, train, early_stop, metrics."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Setting
from nnspec.spec_lang.vocabulary.markers import Bare, Name, NameOf, Whole, Window
from nnspec.spec_lang.vocabulary.registry import Word


class NetworkName(Setting):
    """The name of the network: its runs are kept under it."""

    word = "network"
    heads_a_file = True
    examples = ("network mnist_cnn",)
    name: Name = Field(description="what its runs are kept under")


class Input(Setting):
    """The shape of one sample: height x width x channels, or the number of features."""

    word = "input"
    heads_a_file = True
    examples = ("input 28x28x1", "input 4")
    shape: Window = Field(description="height x width x channels, time x features, or the number of features")


class Train(Setting):
    """How long to train, and on how many samples at a time.

    `evaluate_every` and `checkpoint_every` count as the length does, in epochs or iterations; left out they are one
    epoch, or a tenth of the iterations. `keep` checkpoints by step stay beside the last and the best.

    With `stateful=yes` samples follow each other in time: each place of the batch reads a stretch of them in order, and
    recurrent layers go on from where the sample before it left them; gradients end at its border.
    """

    word = "train"
    examples = ("train 10 epochs batch=64 seed=7", "train 50000 iterations batch=1")
    length: Whole = Field(10, gt=0, description="how long, in epochs or iterations")
    unit: Annotated[Literal["epochs", "iterations"], Bare(("name",), "epochs")] = Field(
        "epochs", description="what the length counts"
    )
    batch: int = Field(32, gt=0, description="samples of one step")
    seed: int = Field(0, ge=0, lt=2**63, description="what first weights, the order of samples and dropout follow from")
    clip_norm: float | None = Field(
        None, gt=0, description="the largest norm of all gradients together: longer ones are shortened to it"
    )
    clip_value: float | None = Field(None, gt=0, description="the largest size of each number of a gradient")
    stateful: bool = Field(False, description="whether states are carried from one batch to the next")
    evaluate_every: int | None = Field(None, gt=0, description="how often to evaluate, counted as the length is")
    checkpoint_every: int | None = Field(None, gt=0, description="how often to save, counted as the length is")
    keep: int = Field(0, ge=0, description="checkpoints by step that stay beside the last and the best")


class EarlyStop(Setting):
    """Stop when the monitored number has not improved by min_delta for `patience` evaluations."""

    word = "early_stop"
    examples = ("early_stop patience=5", "early_stop monitor=accuracy patience=3 min_delta=0.001")
    monitor: str = Field("validation_loss", description="the number that is watched")
    patience: int = Field(5, gt=0, description="evaluations without progress before training stops")
    min_delta: float = Field(0.0, ge=0, description="the least that counts as progress")


class Metrics(Setting):
    """What is measured beside the loss; left out it is accuracy for classes, rmse for numbers."""

    word = "metrics"
    examples = ("metrics accuracy, f1",)
    names: Annotated[tuple[str, ...], Bare(("name",), "accuracy"), NameOf("metric")] = Field(
        description="what is measured"
    )


class Metric(Word):
    """A number that tells how good predictions are."""

    kind = "metric"
    task: ClassVar[Literal["classification", "regression", "any"]] = "any"
    larger_is_better: ClassVar[bool] = True
    share: ClassVar[bool] = False  # whether it is a share of the samples, told in per cent


class Accuracy(Metric):
    """The share of samples whose most probable class is the true one."""

    word = "accuracy"
    task = "classification"
    share = True


class Top3(Metric):
    """The share of samples whose true class is among the three most probable."""

    word = "top3"
    task = "classification"
    share = True


class F1(Metric):
    """The harmonic mean of precision and recall, averaged over the classes."""

    word = "f1"
    task = "classification"


class Perplexity(Metric):
    """exp of the cross entropy: among how many equally probable classes one would have to guess to do as well."""

    word = "perplexity"
    task = "classification"
    larger_is_better = False


class MaeMetric(Metric):
    """The mean absolute difference."""

    word = "mae"
    task = "regression"
    larger_is_better = False


class Rmse(Metric):
    """The root of the mean squared difference."""

    word = "rmse"
    task = "regression"
    larger_is_better = False


class R2(Metric):
    """The share of the targets' variance that predictions explain."""

    word = "r2"
    task = "regression"
