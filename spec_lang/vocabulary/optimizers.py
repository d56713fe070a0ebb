"""How a gradient changes the weights. Defaults are PyTorch's."""

from typing import ClassVar

from pydantic import Field

from nnspec.spec_lang.vocabulary.registry import Word


class Optimizer(Word):
    """A rule for one step down the gradient. `slots` are the arrays it keeps for each parameter."""

    kind = "optimizer"
    slots: ClassVar[tuple[str, ...]] = ()
    lr: float = Field(0.01, gt=0, description="the learning rate")
    weight_decay: float = Field(0.0, ge=0, description="the share of each weight that is added to its gradient")


class Sgd(Optimizer):
    """p ← p − lr·g (Robbins & Monro 1951)."""

    word = "sgd"
    examples = ("optimizer sgd lr=0.01",)


class Momentum(Optimizer):
    """v ← beta·v + (1 − dampening)·g; p ← p − lr·v (Polyak 1964). dampening=beta makes v the notes' moving average."""

    word = "momentum"
    examples = ("optimizer momentum lr=0.01 beta=0.9", "optimizer momentum beta=0.9 dampening=0.9")
    slots = ("velocity",)
    beta: float = Field(0.9, ge=0, lt=1, description="the share of the velocity that is kept")
    dampening: float = Field(0.0, ge=0, le=1, description="the share of the gradient that is left out")
    nesterov: bool = Field(False, description="whether the gradient is taken where the velocity leads (Nesterov 1983)")


class RmsProp(Optimizer):
    """s ← alpha·s + (1 − alpha)·g²; p ← p − lr·g / (√s + eps) (Tieleman & Hinton 2012)."""

    word = "rmsprop"
    examples = ("optimizer rmsprop lr=0.001",)
    slots = ("square",)
    alpha: float = Field(0.99, ge=0, lt=1, description="the share of the moving average that is kept")
    eps: float = Field(1e-8, gt=0, description="added to the root, so that nothing is divided by zero")


class Adam(Optimizer):
    """Moving averages of g and g², corrected for their beginning at zero (Kingma & Ba 2015)."""

    word = "adam"
    examples = ("optimizer adam lr=0.001",)
    slots = ("mean", "square")
    lr: float = Field(0.001, gt=0, description="the learning rate")
    beta1: float = Field(0.9, ge=0, lt=1, description="the share of the moving average of g that is kept")
    beta2: float = Field(0.999, ge=0, lt=1, description="the share of the moving average of g² that is kept")
    eps: float = Field(1e-8, gt=0, description="added to the root, so that nothing is divided by zero")


class AdamW(Adam):
    """Adam with the weight decay taken from the weights themselves (Loshchilov & Hutter 2019)."""

    word = "adamw"
    examples = ("optimizer adamw lr=0.001 weight_decay=0.01",)
    weight_decay: float = Field(0.01, ge=0, description="the share of each weight that is taken from it, times lr")
