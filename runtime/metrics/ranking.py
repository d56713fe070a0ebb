"""Metrics of the order and the size of the outputs: how probable the true class is."""

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.metrics import implements_metric
from nnspec.runtime.metrics.answers import Answers
from nnspec.spec_lang.vocabulary.metrics import Auc, Best, Perplexity, Top3, Top5, TopK


@implements_metric(Top3, Top5, TopK)
def best(word: Best, answers: Answers) -> float:
    """Return the fraction of samples whose true class is one of the most probable; of equals the first counts."""
    places = np.argsort(-answers.scores, axis=-1, kind="stable")[:, : word.best]
    return float(np.mean((places == answers.truth[:, None]).any(axis=-1)))


@implements_metric(Auc)
def auc(word: Auc, answers: Answers) -> float:
    """Return the area under the ROC curve: how often a sample of the class has the higher output of two, ties half.

    Of two classes it is that of the second, of several classes or labels the mean over those that some samples have and
    others do not. Where there is none, it is 0.5.
    """
    if answers.labelled:
        count = answers.outputs.shape[-1]
        scores, true = answers.outputs.reshape(-1, count), answers.labels[1]
    else:
        scores = answers.scores if answers.scores.shape[-1] > 2 else answers.scores[:, 1:]
        true = answers.truth[:, None] == np.arange(answers.scores.shape[-1])[-scores.shape[-1] :]
    areas = [_area(scores[:, place], true[:, place]) for place in range(scores.shape[-1])]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else 0.5


def _area(scores: Array, true: Array) -> float | None:
    """Return the area of one class from the ranks of its samples (Mann & Whitney 1947); None without both kinds."""
    yes = int(true.sum())
    no = len(true) - yes
    if not yes or not no:
        return None
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2  # of equals the mean of their ranks, counted from 1
    return float((ranks[places[true]].sum() - yes * (yes + 1) / 2) / (yes * no))


@implements_metric(Perplexity)
def perplexity(word: Perplexity, answers: Answers) -> float:
    """Return exp of the mean of −log p[true class]: the number of equally probable classes as uncertain as this."""
    found = np.take_along_axis(answers.scores, answers.truth[:, None], axis=-1).astype(np.float64)
    return float(np.exp(-np.mean(np.log(np.maximum(found, np.finfo(np.float64).tiny)))))
