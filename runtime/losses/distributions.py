"""Losses of distributions: targets have a probability for each output."""

import numpy as np

from nnspec.runtime.arrays import Array, log_softmax
from nnspec.runtime.losses import LossFunction, implements_loss
from nnspec.runtime.losses._mean import mean, weighted
from nnspec.runtime.targets import as_distributions
from nnspec.spec_lang.vocabulary.losses import Kl


@implements_loss(Kl)
def kl(word: Kl) -> LossFunction:
    """L = mean Σ t (log t − log p), p = softmax(z), over samples (and steps); ∂L/∂z = (p Σt − t) / count.

    Takes logits (…, outputs) and distributions of that shape. A target of 0 has no term.
    """

    def apply(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        truth = as_distributions(targets, outputs)
        logs = log_softmax(outputs)
        surprise = np.log(truth, out=np.zeros_like(truth), where=truth > 0) - logs
        terms = (truth * surprise).sum(axis=-1, keepdims=True)
        gradient = np.exp(logs) * truth.sum(axis=-1, keepdims=True) - truth
        return mean(weighted(terms, weights)), weighted(gradient / terms.size, weights)

    return apply
