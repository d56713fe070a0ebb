"""The threshold beside the network that marks strokes, and the part of the page that is written of both."""

import numpy as np
import pytest

from benchmarks.experiments.segmentation import GRAYS, best_threshold
from benchmarks.experiments.segmentation_results import KEPT, METRICS, STROKES, Result, read_results, section
from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Split
from nnspec.runtime.metrics import measure
from nnspec.spec_lang.vocabulary.metrics import Iou

RANDOM = np.random.default_rng(0)


def union_share(grays: Array, strokes: Array, threshold: int) -> float:
    """Intersection over union of the pixels of at least a gray with the strokes."""
    said = grays[..., 0] >= threshold
    return float((said & (strokes == 1)).sum() / (said | (strokes == 1)).sum())


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_is_the_best_of_every_gray_tried_by_itself(seed: int) -> None:
    random = np.random.default_rng(seed)
    strokes = random.integers(0, 2, (6, 5, 4))
    grays = np.clip(random.normal(100 + 60 * strokes, 50), 0, 255).astype(np.uint8)[..., None]
    shares = [union_share(grays, strokes, gray) for gray in range(GRAYS)]
    found = best_threshold(Split(grays, strokes))
    assert shares[found] == max(shares) and found == int(np.argmax(shares))
    answers = (grays >= found).astype(float)
    assert measure(Iou(average="binary"), answers, strokes) == pytest.approx(max(shares))


def test_strokes_that_a_gray_parts_are_found_whole() -> None:
    grays = RANDOM.integers(0, 256, (3, 4, 4, 1)).astype(np.uint8)
    strokes = (grays[..., 0] >= 77).astype(int)
    assert union_share(grays, strokes, best_threshold(Split(grays, strokes))) == 1


def test_the_page_has_the_network_above_the_threshold_from_the_same_runs() -> None:
    found = {name: 0.5 + number / 10 for number, name in enumerate(METRICS)}
    worse = {name: value - 0.25 for name, value in found.items()}
    rows = section({(STROKES, 1): Result("", found, worse, 9.0, "a machine")}).splitlines()
    network, threshold = (next(row for row in rows if word in row) for word in (STROKES.link, "best threshold"))
    assert "0.500" in network and "0.600" in network and "70.00" in network
    assert "0.250" in threshold and "0.350" in threshold and "45.00" in threshold


def test_kept_figures_say_that_the_network_is_better_than_the_threshold() -> None:
    """Those that are of the spec as it is now."""
    results = read_results(KEPT)
    assert results
    assert all(result.test[name] > result.threshold[name] for result in results.values() for name in METRICS)
