"""What other tools write in one piece or in other signs: betas, regularizers, patience in epochs, trainable."""

from nnspec.spec_lang.syntax.misfits.pieces import NUMERIC
from nnspec.spec_lang.syntax.misfits.walk import EQUALS, Call, Meaning, Walk, reads

_ANY_LAYER = ("layer", "model", "self", "net", "module")


@reads("start", rank=1)
def a_layer_with_a_colon(walk: Walk) -> Meaning | None:
    """`dense: 128`: a layer with a colon before its values, not a name before a layer."""
    if not walk.is_stage() or walk.text(1) != ":" or walk.kind(2) not in NUMERIC:
        return None
    word = walk.text()
    call = Call(word, False, None) if word in walk.blocks else Call.of(word, walk.words)
    text = f"{word} " if walk.touches(1) else word
    return Meaning(
        2, text, "a layer has no colon", f"write {word} {walk.text(2)}", at=1, width=1, call=call, state="call"
    )


@reads("start", rank=1)
def a_layer_that_does_not_learn(walk: Walk) -> Meaning | None:
    """`stem.trainable = False`: a line of its own names the layers that do not learn."""
    name, dot, option = walk.text().rpartition(".")
    if not walk.first or not dot or option not in ("trainable", "requires_grad") or walk.text(1) != "=":
        return None
    if walk.text(2).lower() not in ("false", "no", "0"):
        return None
    layer = name.split(".")[-1]
    layer = "dense1" if layer in _ANY_LAYER else layer
    mends = f"{layer}:" in walk.source
    says = "a layer that does not learn is named in a line of its own"
    help = f"write freeze {layer}" if mends else "write freeze and the names of the layers, as in freeze dense1"
    return Meaning(3, f"freeze {layer}", says, help, mends=mends, state="after")


@reads("call", rank=2)
def a_pair_of_betas(walk: Walk) -> Meaning | None:
    """`betas=(0.9, 0.999)`: two options that are a pair in other tools."""
    call = walk.call
    pair = ("beta1", "beta2")
    if call is None or walk.text() != "betas" or not all(call.option(name) for name in pair):
        return None
    at = 1 + (walk.text(1) in EQUALS)
    at += walk.text(at) in ("(", "[")
    taken = at + 3 + (walk.text(at + 3) in (")", "]"))
    if walk.kind(at) != "NUMBER" or walk.text(at + 1) != "," or walk.kind(at + 2) != "NUMBER":
        return None
    text = f"beta1={walk.text(at)} beta2={walk.text(at + 2)}"
    call.filled.add(pair[1])
    return Meaning(taken, text, f'{call.word} has no option "betas"', fills=pair[0])


@reads("call", rank=2)
def a_regularizer(walk: Walk) -> Meaning | None:
    """`kernel_regularizer=l2(0.01)`, and `kernel_regularizer=l2` with the factor that it has in Keras."""
    call = walk.call
    if call is None or walk.text() not in ("kernel_regularizer", "regularizer") or walk.text(1) not in EQUALS:
        return None
    option = walk.text(2).split(".")[-1].lower()
    if option not in ("l1", "l2") or not call.option(option):
        return None
    says, at = f'{call.word} has no option "{walk.text()}"', 6 if walk.text(5) == "=" else 4
    if walk.text(3) != "(":
        help = f"write it with its factor, {option}=0.01 in Keras"
        return Meaning(3, f"{option}=0.01", says, help, sure=False, fills=option)
    if walk.kind(at) != "NUMBER" or walk.text(at + 1) != ")":
        return None
    return Meaning(at + 2, f"{option}={walk.text(at)}", says, fills=option)


@reads("call", rank=2)
def an_activation_in_brackets(walk: Walk) -> Meaning | None:
    """`dense 128 (relu)`."""
    if walk.text() != "(" or walk.text(2) != ")" or walk.call is None:
        return None
    wanted = walk.call.place(walk.text(1))
    if wanted is None or walk.kind(1) != "WORD":
        return None
    name = walk.text(1)
    return Meaning(3, name, "a value has no brackets", f"write {name} without brackets", fills=wanted.name)


@reads("call", rank=2)
def evaluations_of_patience(walk: Walk) -> Meaning | None:
    """`early_stop 5 epochs`: patience counts evaluations, by default one at the end of each epoch."""
    call = walk.call
    if call is None or call.word != "early_stop" or not call.option("patience") or walk.kind() != "NUMBER":
        return None
    if walk.text(1).lower() not in ("epoch", "epochs", "evaluations", "rounds"):
        return None
    text = f"patience={walk.text()}"
    says = f"{call.word} takes options by their names"
    return Meaning(2, text, says, f"name the option: {text}, in evaluations", fills="patience")
