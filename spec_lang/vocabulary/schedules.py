"""Schedules: how the learning rate changes. Lengths are in the unit of `train`, epochs or iterations."""

from itertools import pairwise
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from nnspec.spec_lang.vocabulary.markers import Numbers
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


class Milestones(Schedule):
    """The rate is multiplied by factor at each of several times, as by PyTorch's MultiStepLR."""

    word = "milestones"
    examples = ("schedule milestones at=30,60,80 factor=0.1",)
    at: Numbers = Field(description="when the rate falls, in the unit of train")
    factor: float = Field(0.1, gt=0, description="the factor on the rate")

    @field_validator("at")
    @classmethod
    def _rising(cls, at: tuple[float, ...]) -> tuple[float, ...]:
        if at[0] <= 0 or any(later <= earlier for earlier, later in pairwise(at)):
            raise ValueError("needs times after 0, each later than the one before, as in at=30,60,80")
        return at


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


class CosineRestarts(Schedule):
    """The factor falls along half a cosine from 1 to floor again and again (SGDR, Loshchilov & Hutter 2017).

    The first fall lasts `every`, each one after it `mult` times as long as the one before, as by PyTorch's
    CosineAnnealingWarmRestarts with T_0=every and T_mult=mult.
    """

    word = "cosine_restarts"
    examples = ("schedule cosine_restarts every=10 mult=2",)
    every: float = Field(gt=0, description="the length of the first fall, in the unit of train")
    mult: float = Field(1.0, ge=1, description="the factor on the length of each fall after the first")
    floor: float = Field(0.0, ge=0, le=1, description="the factor at the end of a fall")


class Linear(Schedule):
    """The factor goes in a straight line from start_factor to end_factor, as by PyTorch's LinearLR.

    It takes all of the training, or `over`, and then stays. By default the rate falls to 0 at the end of training.
    """

    word = "linear"
    examples = ("schedule linear warmup=1", "schedule linear start_factor=0.1 end_factor=1 over=5")
    start_factor: float = Field(1.0, ge=0, description="the factor at the beginning")
    end_factor: float = Field(0.0, ge=0, description="the factor at the end")
    over: float | None = Field(
        None, gt=0, description="the length of the line, in the unit of train; default: all of the training"
    )


class OneCycle(Schedule):
    """The factor rises from max_factor / div_factor to max_factor, and falls far below where it began (Smith 2018).

    The rise takes the share `pct_start` of the training. The fall ends, at the last step, at the first factor divided
    by `final_div_factor`. It is PyTorch's OneCycleLR with cycle_momentum=False and max_lr = max_factor · lr: with
    max_factor=1 the rate that the optimizer has is the highest.
    """

    word = "one_cycle"
    examples = ("schedule one_cycle", "schedule one_cycle pct_start=0.25 div_factor=10")
    max_factor: float = Field(1.0, gt=0, description="the highest factor on the optimizer's rate")
    pct_start: float = Field(0.3, ge=0, le=1, description="the share of the training in which the rate rises")
    div_factor: float = Field(25.0, gt=0, description="the highest factor divided by the first one")
    final_div_factor: float = Field(10_000.0, gt=0, description="the first factor divided by the last one")
    anneal: Literal["cosine", "linear"] = Field("cosine", description="the form of the rise and of the fall")

    @field_validator("warmup")
    @classmethod
    def _warms_up_itself(cls, warmup: float) -> float:
        if warmup:
            raise ValueError("is what one_cycle begins with: leave it out, or write pct_start=0.1 for a shorter rise")
        return warmup


class Plateau(Schedule):
    """The rate is multiplied by factor when the validation loss has not improved for patience evaluations."""

    word = "plateau"
    follows_loss = True
    examples = ("schedule plateau factor=0.5 patience=3",)
    factor: float = Field(0.1, gt=0, lt=1, description="the factor on the rate")
    patience: int = Field(10, ge=0, description="evaluations without improvement before the rate falls")
    min_delta: float = Field(0.0001, ge=0, description="the smallest change that counts as an improvement")
