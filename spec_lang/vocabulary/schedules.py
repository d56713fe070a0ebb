"""Schedules: how the learning rate changes. Lengths are in the unit of `train`, epochs or iterations."""

from typing import ClassVar

from pydantic import Field

from nnspec.spec_lang.vocabulary.registry import Word


class Schedule(Word):
    """A factor on the learning rate over time t. During `warmup` it grows linearly from 0 to 1."""

    kind = "schedule"
    follows_loss: ClassVar[bool] = False
    """Whether the factor follows from the losses of evaluations too, not from time alone."""
    warmup: float = Field(0.0, ge=0, description="the length of the linear warmup, in the unit of train")


class ConstantRate(Schedule):
    """The learning rate does not change."""

    word = "constant"


class StepDecay(Schedule):
    """The rate is multiplied by factor after each interval of length every."""

    word = "step"
    examples = ("schedule step factor=0.96 every=5000",)
    factor: float = Field(0.1, gt=0, description="the factor on the rate")
    every: float = Field(gt=0, description="the length of an interval, in the unit of train")


class Exponential(Schedule):
    """The rate is multiplied by factor^(t / every) at each training step."""

    word = "exponential"
    examples = ("schedule exponential factor=0.95",)
    factor: float = Field(0.95, gt=0, description="the factor on the rate")
    every: float = Field(1.0, gt=0, description="the time for one factor, in the unit of train")


class Cosine(Schedule):
    """The factor falls along half a cosine from 1 to floor at the end of training (Loshchilov & Hutter 2017)."""

    word = "cosine"
    examples = ("schedule cosine warmup=1",)
    floor: float = Field(0.0, ge=0, le=1, description="the factor at the end of training")


class Plateau(Schedule):
    """The rate is multiplied by factor when the validation loss has not improved for patience evaluations."""

    word = "plateau"
    follows_loss = True
    examples = ("schedule plateau factor=0.5 patience=3",)
    factor: float = Field(0.1, gt=0, lt=1, description="the factor on the rate")
    patience: int = Field(10, ge=0, description="evaluations without improvement before the rate falls")
    min_delta: float = Field(0.0001, ge=0, description="the smallest change that counts as an improvement")
