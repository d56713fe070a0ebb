"""How far weights moved."""

import numpy as np

from nnspec import api
from nnspec.runtime.infer.weight_distance import weight_distances

TEXT = "input 4\nstem: dense 3 -> batchnorm -> dense 2"


def test_a_layer_s_distance_is_the_length_of_its_difference() -> None:
    first, second = (api.compile(TEXT, seed=1) for _ in range(2))
    weight = second.parameters["stem/weight"]
    weight[0, 0] += 3
    second.set_parameters({"stem/weight": weight, "stem/bias": np.array([0, 4, 0], np.float32)})
    stem, norm, running, dense = weight_distances(first, second, {n: n for n in ("stem", "batchnorm1", "dense1")})
    length = float(np.linalg.norm(first.parameters["stem/weight"].astype(np.float64)))
    np.testing.assert_allclose((stem.distance, stem.largest), (5, 4), rtol=1e-6)
    assert stem.relative is not None
    np.testing.assert_allclose(stem.relative, 5 / length, rtol=1e-6)
    assert [m.differs for m in (stem, norm, running, dense)] == [True, False, False, False]
    assert (running.layer, running.running, running.numbers) == ("batchnorm1", True, 6)


def test_layers_are_compared_by_their_counterparts_and_only_where_their_shapes_agree() -> None:
    first = api.compile(TEXT, seed=1)
    second = api.compile(TEXT.replace("stem:", "foot:").replace("-> dense 2", "-> dense 5"), seed=1)
    found = list(weight_distances(first, second, {"stem": "foot", "dense1": "dense1"}))
    assert [(m.layer, m.differs) for m in found] == [("stem", False)]


def test_weights_that_were_zero_have_no_relative_distance() -> None:
    first, second = (api.compile(f"input 4\ndense 3 init={init}") for init in ("zeros", "ones"))
    (dense,) = weight_distances(first, second, {"dense1": "dense1"})
    assert (dense.relative, dense.largest) == (None, 1.0)
