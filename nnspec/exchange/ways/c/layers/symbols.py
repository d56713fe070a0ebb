"""Layers that read symbols and categories."""

import numpy as np

from nnspec.exchange.ways.c.layers import in_c
from nnspec.exchange.ways.c.program import Part, Room, Site
from nnspec.spec_lang.vocabulary.layers.embedding import Embed, EmbedColumns, OneHot


@in_c(Embed)
def embed(word: Embed, site: Site) -> Room:
    """The rows of the weight."""
    y, weight = site.new(), site.constant("weight", site.arrays["weight"])
    site.call("embed", site.x, weight, y, site.output[0], word.vocabulary(site.shape), word.units)
    return y


@in_c(OneHot)
def onehot(word: OneHot, site: Site) -> Room:
    """Rows with a single 1."""
    y = site.new()
    site.call("onehot", site.x, y, site.output[0], word.vocabulary(site.shape))
    return y


@in_c(EmbedColumns)
def embed_columns(word: EmbedColumns, site: Site) -> Room:
    """The other numbers, and a dense layer for each column."""
    y, columns = site.new(), word.columns_in(site.shape)
    inside = {place for start, size in columns for place in range(start, start + size)}
    rest = np.array([place for place in range(site.shape[0]) if place not in inside])
    if rest.size:
        site.call("gather", site.x, site.indices("others", rest.tolist()), y, rest.size)
    for number, (start, size) in enumerate(columns):
        weight = site.constant(f"weight{number + 1}", site.arrays[f"weight{number + 1}"].T)
        place = rest.size + number * word.units
        site.call("dense", Part(site.x, start), weight, "0", Part(y, place), 1, size, word.units)
    return y
