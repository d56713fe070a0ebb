"""The settings network, input, train, weights, early_stop and metrics."""

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from nnspec.spec_lang.vocabulary.bases import Setting
from nnspec.spec_lang.vocabulary.markers import Axes, Bare, Name, NameOf, Whole, Window


class NetworkName(Setting):
    """The name of the network, which names its run folders."""

    word = "network"
    heads_a_file = True
    examples = ("network mnist_cnn",)
    name: Name = Field(description="the name of the network and of its run folders")


class Input(Setting):
    """The shape of one sample: height x width x channels, time x features, or the number of features.

    `input 50x3 sequence` says that two axes are time and features; without it they may also be an image with one
    channel, as the layer that reads them says.
    """

    word = "input"
    heads_a_file = True
    examples = ("input 28x28x1", "input 4", "input 50x3 sequence")
    shape: Window = Field(description="height x width x channels, time x features, or the number of features")
    axes: Axes = Field(None, description="whether two axes are time and features")

    @field_validator("axes")
    @classmethod
    def _two(cls, axes: str | None, info: ValidationInfo) -> str | None:
        if axes is not None and len(info.data.get("shape", (1, 1))) != 2:
            raise ValueError("can be sequence after two axes alone, time x features, as in input 50x3 sequence")
        return axes


class Train(Setting):
    """The length of training, the batch size and the seed.

    `evaluate_every` and `checkpoint_every` are in the unit of the length, epochs or iterations. Their default is one
    epoch, or a tenth of the iterations. Where the length or the batch is left out it follows from the number of
    training samples: 10 epochs, or as many as make 1,000 steps; batches of 32, of a quarter of the samples where they
    are fewer than 128, and of a thousandth, up to 256, where they are more than 64,000. `nnspec plan` shows them.

    With `accumulate=4` a step takes the mean gradient of four batches, as if they were one, in the memory of one. Then
    iterations, the schedule, clipping and `ema` count and see these steps of the optimizer. The last step of an epoch
    takes the batches that are left. A layer that mixes samples, such as batchnorm, still sees one batch.

    With `stateful=yes` consecutive samples are consecutive in time: each row of the batch reads its own contiguous part
    of the data in order, and recurrent layers continue from the state of the previous batch. Gradients stop there.
    """

    word = "train"
    examples = ("train 10 epochs batch=64 seed=7", "train 50000 iterations batch=1")
    length: Whole = Field(10, gt=0, description="the length of training, in epochs or iterations")
    unit: Annotated[Literal["epochs", "iterations"], Bare(("name",), "epochs")] = Field(
        "epochs", description="the unit of the length"
    )
    batch: int = Field(32, gt=0, description="samples in one training step, or in one of the batches that make a step")
    accumulate: int = Field(1, gt=0, description="batches whose gradients make one step")
    seed: int = Field(
        0, ge=0, lt=2**63, description="the seed of the initial weights, the order of samples and dropout"
    )
    clip_norm: float | None = Field(
        None, gt=0, description="the largest norm of all gradients together; larger ones are scaled down to it"
    )
    clip_value: float | None = Field(
        None, gt=0, description="the largest absolute value in a gradient; larger ones are clipped"
    )
    stateful: bool = Field(False, description="whether recurrent states are kept from one batch to the next")
    evaluate_every: int | None = Field(
        None, gt=0, description="the interval between evaluations, in the unit of the length"
    )
    checkpoint_every: int | None = Field(
        None, gt=0, description="the interval between checkpoints, in the unit of the length"
    )
    keep: int = Field(0, ge=0, description="checkpoints of earlier steps to keep in addition to the last and the best")
    lanes: int | Literal["auto"] = Field(
        "auto", description="the parts in which a batch is computed: 1, 2, 4, 8, 16, or as many as pay on this machine"
    )

    @field_validator("lanes")
    @classmethod
    def _halved(cls, lanes: int | str) -> int | str:
        if lanes not in ("auto", *LANES):
            raise ValueError(f"is {lanes}, and a batch is halved again and again: write 1, 2, 4, 8, 16 or auto")
        return lanes

    def argument(self, name: str) -> Any:
        """Return the value of a field; None for lanes that are not chosen yet, so that no text has them."""
        return None if name == "lanes" and self.lanes == "auto" else super().argument(name)

    @property
    def samples_a_step(self) -> int:
        """The samples of one step of the optimizer, but for the last one of an epoch."""
        return self.batch * self.accumulate

    def for_samples(self, samples: int) -> "Train":
        """Return the statement with what it leaves open filled in for this number of training samples.

        The batch is at most a quarter of the samples and grows with them, so that an epoch has four steps or more and
        few thousands. The length is 10 epochs, or as many as make 1,000 steps; then there are about 20 evaluations.
        """
        given, found = self.model_fields_set, {}
        batch = self.batch
        if "batch" not in given:
            batch = found["batch"] = _default_batch(samples)
        if "length" not in given and self.unit == "epochs":
            length = max(LEAST_EPOCHS, -(-LEAST_STEPS // -(-samples // (batch * self.accumulate))))
            found["length"] = length
            if "evaluate_every" not in given and length > EVALUATIONS:
                found["evaluate_every"] = -(-length // EVALUATIONS)
        return self.model_copy(update=found) if found else self

    def follows(self, samples: int) -> str | None:
        """Return in words what `for_samples` changes; None where that is nothing."""
        found = self.for_samples(samples)
        words = [f"{found.length} epochs"] if found.length != self.length else []
        words += [f"batch={found.batch}"] if found.batch != self.batch else []
        if not words:
            return None
        return f"train {' '.join(words)}: the spec leaves this open, and it follows from {samples:,} training samples"


LANES = (1, 2, 4, 8, 16)
"""The numbers of lanes that a batch may have."""

LEAST_EPOCHS, LEAST_STEPS, EVALUATIONS = 10, 1000, 20
"""Of a run whose length its spec leaves open."""


def _default_batch(samples: int) -> int:
    """Return the largest power of two up to a quarter of the samples, to 32 or a thousandth of them, and to 256."""
    most = min(max(32, samples // 1000), max(1, samples // 4), 256)
    return 1 << (most.bit_length() - 1)


class Weights(Setting):
    """Weights of the samples in the training loss: by class, by a column of the data, or both multiplied.

    A sample's terms are multiplied by its weight. Weights are scaled to a mean of 1 over the training split. Validation
    losses and metrics are not weighted.
    """

    word = "weights"
    examples = ("weights classes=balanced", "weights column=w")
    classes: Literal["balanced"] | None = Field(
        None, description="balanced: every class has the same total weight, as rare ones then count more"
    )
    column: str | None = Field(None, description="the column or array with the weight of each sample")


class Ema(Setting):
    """Keep an exponential moving average of the weights, and use it for all but training (Polyak & Juditsky 1992).

    After each step average ← d · average + (1 − d) · weights, of the parameters and of buffers such as the running
    statistics of a batchnorm. d is `decay`; with `warmup=yes` it is (1 + t) / (10 + t) at update t as long as that is
    smaller, so that the initial weights are forgotten. With `every=10` only each tenth step is an update.

    Validation, metrics, early_stop and best.h5 follow the average, and eval, predict, the pictures, `nnspec.load` and
    `from` take it from a checkpoint. The training loss is that of the weights themselves, with which `resume` goes on.
    """

    word = "ema"
    examples = ("ema decay=0.999", "ema decay=0.9999 every=10")
    decay: float = Field(0.999, ge=0, lt=1, description="the share of the average that an update keeps")
    warmup: bool = Field(True, description="whether the first updates keep less")
    every: int = Field(1, gt=0, description="optimizer steps from one update to the next")


class EarlyStop(Setting):
    """Stop training when the monitored value has not improved by min_delta for `patience` evaluations."""

    word = "early_stop"
    examples = ("early_stop patience=5", "early_stop monitor=accuracy patience=3 min_delta=0.001")
    monitor: str = Field("validation_loss", description="the metric or loss to watch")
    patience: int = Field(5, gt=0, description="evaluations without improvement before training stops")
    min_delta: float = Field(0.0, ge=0, description="the smallest change that counts as an improvement")


class Metrics(Setting):
    """The metrics to measure in addition to the loss. Default: accuracy for classification, rmse for regression.

    With `training=yes` each evaluation also measures the training split, as it does the validation split: with the
    weights of that step, without dropout, augmentation, penalties or weights of samples. The results are
    `training_loss`, `training_accuracy` and so on; `loss` remains the mean over the steps since the last evaluation.
    At most 10,000 samples are measured: of more, every second, every third and so on; the first ones if stateful.
    """

    word = "metrics"
    examples = (
        "metrics accuracy, f1",
        "metrics accuracy training=yes",
        "metrics precision, recall average=weighted",
        "metrics topk k=10",
    )
    names: Annotated[tuple[str, ...], Bare(("name",), "accuracy"), NameOf("metric")] = Field(
        (), description="the metrics to measure"
    )
    training: bool = Field(False, description="whether evaluations measure the training split too")
    average: Literal["macro", "weighted", "micro", "binary"] | None = Field(
        None,
        description="of precision, recall and f1: macro, every class counts alike (the default); weighted, by its "
        "samples; micro, the counts of all classes are added first; binary, the second of two classes alone",
    )
    k: int | None = Field(None, gt=0, description="the number of classes of topk; default: 5")
