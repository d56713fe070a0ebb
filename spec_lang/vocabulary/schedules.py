"""How the learning rate changes. Lengths count as `train` does: in epochs or in iterations."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.registry import Word


class Schedule(Word):
    """A factor on the learning rate. During `warmup` it grows in a straight line from 0."""

    kind = "schedule"
    warmup: float = Field(0.0, ge=0, description="how long the rate grows from 0, counted as train counts")


class ConstantRate(Schedule):
    """The rate as it is."""

    word = "constant"


class StepDecay(Schedule):
    """Times `factor` after every `every`."""

    word = "step"
    examples = ("schedule step factor=0.96 every=5000",)
    factor: float = Field(0.1, gt=0, description="what the rate is multiplied by")
    every: float = Field(gt=0, description="how long the rate stays, counted as train counts")


class Exponential(Schedule):
    """factor^(t / every), changing with each step."""

    word = "exponential"
    examples = ("schedule exponential factor=0.95",)
    factor: float = Field(0.95, gt=0, description="what the rate is multiplied by")
    every: float = Field(1.0, gt=0, description="how long that takes, counted as train counts")


class Cosine(Schedule):
    """Half a cosine from 1 down to `floor` at the end of training (Loshchilov & Hutter 2017)."""

    word = "cosine"
    examples = ("schedule cosine warmup=1",)
    floor: float = Field(0.0, ge=0, le=1, description="the share of the rate that is left at the end")


class Plateau(Schedule):
    """Times `factor` when the validation loss has not fallen for `patience` evaluations."""

    word = "plateau"
    examples = ("schedule plateau factor=0.5 patience=3",)
    factor: float = Field(0.1, gt=0, lt=1, description="what the rate is multiplied by")
    patience: int = Field(10, ge=0, description="evaluations without progress before the rate falls")
    min_delta: float = Field(0.0001, ge=0, description="the least that counts as progress")
