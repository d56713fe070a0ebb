"""How the learning rate changes. Lengths count as `train` does: in epochs or in iterations."""

from pydantic import Field

from spec_lang.word import Word


class Schedule(Word):
    """A factor on the learning rate. During `warmup` it grows in a straight line from 0."""

    kind = "schedule"
    warmup: float = Field(0.0, ge=0)


class ConstantRate(Schedule):
    """The rate as it is."""

    word = "constant"


class Step(Schedule):
    """Times `factor` after every `every`."""

    word = "step"
    examples = ("schedule step factor=0.96 every=5000",)
    factor: float = Field(0.1, gt=0)
    every: float = Field(gt=0)


class Exponential(Schedule):
    """factor^(t / every), changing with each step."""

    word = "exponential"
    examples = ("schedule exponential factor=0.95",)
    factor: float = Field(0.95, gt=0)
    every: float = Field(1.0, gt=0)


class Cosine(Schedule):
    """Half a cosine from 1 down to `floor` at the end of training (Loshchilov & Hutter 2017)."""

    word = "cosine"
    examples = ("schedule cosine warmup=1",)
    floor: float = Field(0.0, ge=0, le=1)


class Plateau(Schedule):
    """Times `factor` when the validation loss has not fallen for `patience` evaluations."""

    word = "plateau"
    examples = ("schedule plateau factor=0.5 patience=3",)
    factor: float = Field(0.1, gt=0, lt=1)
    patience: int = Field(10, ge=0)
    min_delta: float = Field(0.0001, ge=0)
