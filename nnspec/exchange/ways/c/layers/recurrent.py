"""Recurrent layers: each direction of each of the stacked layers is a call."""

from nnspec.exchange.ways.c.layers import in_c
from nnspec.exchange.ways.c.program import Room, Site
from nnspec.spec_lang.vocabulary.layers.recurrent import BACKWARDS, Gru, Lstm, Pass, Recurrent, Rnn


@in_c(Rnn, Lstm, Gru)
def recurrent(word: Recurrent, site: Site) -> Room:
    """All passes, of which each layer reads what the one before has written."""
    time, _ = word.steps(site.shape)
    wide = word.units * len(word.directions)
    x = site.x
    for layer in range(word.layers):
        last = layer == word.layers - 1
        y = site.new() if last else site.scratch(f"layer{layer + 1}", time * wide)
        sequence = not last or word.return_ == "sequence"
        for place, one in enumerate(p for p in word.passes(site.shape) if p.layer == layer):
            fields = {
                "time": time,
                "features": one.features,
                "units": word.units,
                "backwards": int(word.reverse or one.direction == BACKWARDS),
                "sequence": int(sequence),
                "stride": wide,
                "place": place * word.units,
            }
            _pass(word, one, site, x, y, site.struct(f"{one.prefix}shape", "Recurrence", fields), time)
        x = y
    return x


def _pass(word: Recurrent, one: Pass, site: Site, x: Room, y: Room, struct: str, time: int) -> None:
    arrays = {name: site.arrays[f"{one.prefix}{name}"].T for name in ("input_weight", "hidden_weight")}
    constants = [site.constant(f"{one.prefix}{name}", array) for name, array in arrays.items()]
    biases = ("bias", "hidden_bias") if isinstance(word, Gru) else ("bias",)
    constants += [site.constant(f"{one.prefix}{b}", site.arrays.get(f"{one.prefix}{b}")) for b in biases]
    state = site.scratch(f"{one.prefix}state", word.states * word.units)
    room = site.scratch(f"{one.prefix}room", 2 * word.gates * word.units)
    more = (int(word.activation == "relu"),) if isinstance(word, Rnn) else ()
    site.call(word.word, x, *constants, y, state, room, struct, site.steps(time), *more)
