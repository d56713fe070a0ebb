"""Normalizations at inference."""

from nnspec.exchange.ways.c.folding import scale_and_shift
from nnspec.exchange.ways.c.layers import in_c
from nnspec.exchange.ways.c.program import Room, Site
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LayerNorm


@in_c(BatchNorm)
def batchnorm(word: BatchNorm, site: Site) -> Room:
    """A scale and a shift for each channel, where it is not folded into the layer before."""
    y, (scale, shift) = site.over(), scale_and_shift(word, site.arrays)
    constants = site.constant("scale", scale), site.constant("shift", shift)
    site.call("scale_shift", site.x, *constants, y, site.output.size, scale.size)
    return y


@in_c(LayerNorm)
def layernorm(word: LayerNorm, site: Site) -> Room:
    """Over the last axis."""
    y, channels = site.over(), site.shape[-1]
    constants = site.constant("weight", site.arrays["weight"]), site.constant("bias", site.arrays["bias"])
    site.call("layernorm", site.x, *constants, y, site.output.size // channels, channels, float(word.eps))
    return y


@in_c(GroupNorm)
def groupnorm(word: GroupNorm, site: Site) -> Room:
    """Over groups of channels."""
    return _over_places(site, word.groups, word.eps)


@in_c(InstanceNorm)
def instancenorm(word: InstanceNorm, site: Site) -> Room:
    """A group for each channel."""
    return _over_places(site, site.shape[-1], word.eps)


def _over_places(site: Site, groups: int, eps: float) -> Room:
    y, channels = site.over(), site.shape[-1]
    constants = (site.constant(name, site.arrays.get(name)) for name in ("weight", "bias"))
    site.call("groupnorm", site.x, *constants, y, site.output.size // channels, channels, groups, float(eps))
    return y
