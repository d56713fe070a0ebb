"""The log-odds of a class, ln(p / (1 − p)), and its gradient: the number that the maps explain.

It is computed from logits, so that it is exact where the probability is 1 to all digits: a confident network changes in
log-odds where its probability does not. Two networks with equal probabilities have equal log-odds, which logits
themselves need not be.
"""

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.infer.evaluation import class_probabilities
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.layers.activation import Softmax

_LEAST = 1e-7
"""The least probability, and the least distance to 1, where a network gives probabilities without logits."""


def class_log_odds(network: Network, samples: Array) -> Array:
    """Return the log-odds of each class for raw samples, (batch, classes)."""
    programs = network.programs
    return log_odds(programs.answers("logits", programs.as_samples(samples)), programs.graph.head)


def log_odds(logits: Array, head: Layer | None) -> Array:
    """Return the log-odds of each class, (batch, classes), from logits (batch, outputs) and the head they go into.

    Of a softmax it is z − ln Σ exp over the other logits, of a sigmoid z; one output gives both of its classes. Without
    a head the outputs are taken as probabilities.
    """
    if isinstance(head, Softmax):
        return logits - _log_sum_of_others(logits)
    if head is None:
        p = np.clip(class_probabilities(logits), _LEAST, 1 - _LEAST)
        return np.asarray(np.log(p) - np.log1p(-p))
    return np.concatenate([-logits, logits], axis=-1) if logits.shape[-1] == 1 else logits


def probability_of(log_odds: Array) -> Array:
    """Return the probabilities that log-odds belong to, 1 / (1 + exp(−x)), in their dtype."""
    small = np.exp(-np.abs(log_odds))  # never overflows
    return np.asarray(np.where(log_odds < 0, small, 1) / (1 + small))


def log_odds_gradient(logits: Array, labels: Array, head: Layer | None) -> Array:
    """Return the gradient of the log-odds of each sample's label with respect to the logits, (batch, outputs)."""
    rows = np.arange(len(logits))
    gradient = np.zeros_like(logits)
    if isinstance(head, Softmax):
        others = logits.copy()
        others[rows, labels] = -np.inf
        powers = np.exp(others - others.max(axis=-1, keepdims=True))
        gradient -= powers / powers.sum(axis=-1, keepdims=True)
        gradient[rows, labels] = 1
        return gradient
    slope = np.ones_like(logits)
    if head is None:
        inside = (logits > _LEAST) & (logits < 1 - _LEAST)
        slope = np.where(inside, 1 / np.where(inside, logits * (1 - logits), 1), 0).astype(logits.dtype)
    if logits.shape[-1] == 1:
        return np.where(labels == 1, 1, -1)[:, None].astype(logits.dtype) * slope
    gradient[rows, labels] = slope[rows, labels]
    return gradient


def _log_sum_of_others(logits: Array) -> Array:
    """Return ln Σ exp of all logits but one, for each one, (batch, outputs)."""
    count = logits.shape[-1]
    result = np.empty_like(logits)
    for label in range(count):  # the sum of all minus one would cancel where that one is most of it
        others = np.delete(logits, label, axis=-1)
        most = others.max(axis=-1)
        result[..., label] = most + np.log(np.exp(others - most[..., None]).sum(axis=-1))
    return result
