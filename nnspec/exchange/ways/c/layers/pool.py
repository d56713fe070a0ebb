"""Pools."""

from nnspec.exchange.ways.c.layers import in_c
from nnspec.exchange.ways.c.layers.weighted import windows
from nnspec.exchange.ways.c.program import Room, Site
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool


@in_c(MaxPool)
def maxpool(word: MaxPool, site: Site) -> Room:
    """Cells outside the image are never the largest."""
    y = site.new()
    site.call("maxpool", site.x, y, site.struct("windows", "Windows", windows(word, site.shape, site.output[-1])))
    return y


@in_c(AvgPool)
def avgpool(word: AvgPool, site: Site) -> Room:
    """The cells that count are known beforehand."""
    y = site.new()
    rows, columns = word.counted(site.shape)
    struct = site.struct("windows", "Windows", windows(word, site.shape, site.output[-1]))
    site.call("avgpool", site.x, site.indices("rows", rows), site.indices("columns", columns), y, struct)
    return y


@in_c(GlobalAvgPool)
def globalavgpool(word: GlobalAvgPool, site: Site) -> Room:
    """Over the places, or the steps that are not padding."""
    y, (channels,) = site.new(), site.output
    places: str | int = site.shape.size // channels
    if site.shape.sequence:
        places = site.steps(site.shape[0])
    site.call("globalavgpool", site.x, y, places, channels)
    return y


@in_c(GlobalMaxPool)
def globalmaxpool(word: GlobalMaxPool, site: Site) -> Room:
    """Over the places, or the steps that are not padding; where all are, over all."""
    y, (channels,) = site.new(), site.output
    all_places = site.shape.size // channels
    places = site.steps(all_places) if site.shape.sequence else all_places
    site.call("globalmaxpool", site.x, y, places, all_places, channels)
    return y
