"""Optimizers: how a gradient changes the weights. The defaults are those of PyTorch."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from nnspec.spec_lang.vocabulary.registry import Word


class Optimizer(Word):
    """An update rule for the parameters. `slots` are the arrays that it keeps for each parameter."""

    kind = "optimizer"
    slots: ClassVar[tuple[str, ...]] = ()
    quick: ClassVar[float | None] = None
    """A learning rate for short runs that cannot overfit, where the spec leaves it open; None keeps the default."""
    lr: float = Field(0.01, gt=0, description="the learning rate")
    weight_decay: float = Field(0.0, ge=0, description="the factor of the weight that is added to its gradient")

    @property
    def plain(self) -> bool:
        """Whether a step is p − rate·g and nothing else, so that several steps may be made at once."""
        return False

    @property
    def former_slots(self) -> Mapping[str, tuple[str, float]]:
        """Arrays that earlier versions kept instead: by their names, the slots that they are, and times what."""
        return {}

    def quickened(self) -> "Optimizer":
        """Return the optimizer with its `quick` rate, unless a rate is written."""
        if self.quick is None or "lr" in self.model_fields_set:
            return self
        return self.model_copy(update={"lr": self.quick})


class Sgd(Optimizer):
    """p ← p − lr·g (Robbins & Monro 1951)."""

    word = "sgd"
    examples = ("optimizer sgd lr=0.01",)

    @property
    def plain(self) -> bool:
        """Without weight decay. An optimizer derived from this one has another rule, and says so itself."""
        return type(self) is Sgd and not self.weight_decay


class Momentum(Optimizer):
    """v ← beta·v + (1 − dampening)·g; p ← p − lr·v (Polyak 1964). With dampening=beta, v is a moving average of g."""

    word = "momentum"
    examples = ("optimizer momentum lr=0.01 beta=0.9", "optimizer momentum beta=0.9 dampening=0.9")
    slots = ("velocity",)
    beta: float = Field(0.9, ge=0, lt=1, description="the decay rate of the velocity")
    dampening: float = Field(0.0, ge=0, le=1, description="the share of the gradient that does not enter the velocity")
    nesterov: bool = Field(False, description="whether to use Nesterov's accelerated gradient (Nesterov 1983)")


class RmsProp(Optimizer):
    """s ← alpha·s + (1 − alpha)·g²; p ← p − lr·g / (√s + eps) (Tieleman & Hinton 2012)."""

    word = "rmsprop"
    examples = ("optimizer rmsprop lr=0.001",)
    slots = ("square_sum",)
    alpha: float = Field(0.99, ge=0, lt=1, description="the decay rate of the moving average of g²")
    eps: float = Field(1e-8, gt=0, description="added to the denominator, against division by zero")

    @property
    def former_slots(self) -> Mapping[str, tuple[str, float]]:
        """The moving average."""
        return {"square": ("square_sum", 1 / (1 - self.alpha))}


class Adagrad(Optimizer):
    """s ← s + g²; p ← p − lr / (1 + (t − 1)·lr_decay) · g / (√s + eps) at step t (Duchi et al. 2011)."""

    word = "adagrad"
    examples = ("optimizer adagrad lr=0.01",)
    slots = ("square",)
    lr_decay: float = Field(0.0, ge=0, description="how fast the rate falls with the steps")
    initial_accumulator_value: float = Field(0.0, ge=0, description="the value of s before the first step")
    eps: float = Field(1e-10, gt=0, description="added to the denominator, against division by zero")


class Adam(Optimizer):
    """Steps by moving averages of g and g², corrected for their bias towards zero (Kingma & Ba 2015).

    Where neither the rate nor the length of training is written, a network with fewer parameters than training samples
    is trained on few samples with lr=0.01.
    """

    word = "adam"
    examples = ("optimizer adam lr=0.001",)
    slots = ("sum", "square_sum")
    quick = 0.01
    lr: float = Field(0.001, gt=0, description="the learning rate")
    beta1: float = Field(0.9, ge=0, lt=1, description="the decay rate of the moving average of g")
    beta2: float = Field(0.999, ge=0, lt=1, description="the decay rate of the moving average of g²")
    eps: float = Field(1e-8, gt=0, description="added to the denominator, against division by zero")

    @property
    def former_slots(self) -> Mapping[str, tuple[str, float]]:
        """The moving averages."""
        return _sums_of_averages(self.beta1, self.beta2)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""

    word = "adamw"
    examples = ("optimizer adamw lr=0.001 weight_decay=0.01",)
    weight_decay: float = Field(0.01, ge=0, description="the share of each weight that is subtracted from it, times lr")


class NAdam(Optimizer):
    """Adam with Nesterov's momentum, which grows from half of beta1 to beta1 (Dozat 2016)."""

    word = "nadam"
    examples = ("optimizer nadam lr=0.002",)
    slots = ("sum", "square_sum")
    lr: float = Field(0.002, gt=0, description="the learning rate")
    beta1: float = Field(0.9, ge=0, lt=1, description="the decay rate of the moving average of g")
    beta2: float = Field(0.999, ge=0, lt=1, description="the decay rate of the moving average of g²")
    eps: float = Field(1e-8, gt=0, description="added to the denominator, against division by zero")
    momentum_decay: float = Field(0.004, ge=0, description="how fast the momentum grows with the steps")

    @property
    def former_slots(self) -> Mapping[str, tuple[str, float]]:
        """The moving averages."""
        return _sums_of_averages(self.beta1, self.beta2)


class Lion(Optimizer):
    """p ← p − lr·(sign(beta1·m + (1 − beta1)·g) + weight_decay·p); m ← beta2·m + (1 − beta2)·g (Chen et al. 2023).

    Each step moves every weight by lr: the rate is 3 to 10 times smaller than Adam's, and weight_decay as much larger.
    """

    word = "lion"
    examples = ("optimizer lion lr=0.0001 weight_decay=0.1",)
    slots = ("mean",)
    lr: float = Field(0.0001, gt=0, description="the learning rate")
    beta1: float = Field(0.9, ge=0, lt=1, description="the share of the average in the direction of a step")
    beta2: float = Field(0.99, ge=0, lt=1, description="the decay rate of the moving average of g")
    weight_decay: float = Field(0.0, ge=0, description="the share of each weight that is subtracted from it, times lr")


def _sums_of_averages(beta1: float, beta2: float) -> Mapping[str, tuple[str, float]]:
    return {"mean": ("sum", 1 / (1 - beta1)), "square": ("square_sum", 1 / (1 - beta2))}
