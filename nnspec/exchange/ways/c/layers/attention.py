"""Layers of transformers."""

from nnspec.exchange.ways.c.layers import in_c
from nnspec.exchange.ways.c.program import Room, Site
from nnspec.runtime.layers.attention import sinusoids
from nnspec.spec_lang.vocabulary.layers.attention import Attention, Positions


@in_c(Positions)
def positions(word: Positions, site: Site) -> Room:
    """A constant is added."""
    y = site.over()
    table = site.arrays["weight"] if word.vectors == "learned" else sinusoids(*site.output)
    site.call("add", site.x, site.constant("table", table), y, site.output.size)
    return y


@in_c(Attention)
def attention(word: Attention, site: Site) -> Room:
    """The thirds and the output are dense layers at each step."""
    (time, features), width = site.output, word.width(site.shape)
    thirds, joined = site.scratch("thirds", 3 * time * width), site.scratch("joined", time * width)
    scores, y = site.scratch("scores", time), site.new()
    weights = [site.constant(name, site.arrays[name].T) for name in ("input_weight", "output_weight")]
    biases = [site.constant(name, site.arrays.get(name)) for name in ("input_bias", "output_bias")]
    site.call("dense", site.x, weights[0], biases[0], thirds, time, features, 3 * width)
    sizes = time, word.heads, width // word.heads, int(word.causal)
    site.call("attention", thirds, scores, joined, *sizes, site.steps(time))
    site.call("dense", joined, weights[1], biases[1], y, time, width, features)
    return y
