"""Tied weights: which arrays of an earlier layer a layer with `as=` uses."""

from collections.abc import Mapping

from nnspec.spec_lang.check.spec import Node, Tie
from nnspec.spec_lang.report.diagnostics import Diagnostic, did_you_mean, near
from nnspec.spec_lang.source import Span
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape

Ties = dict[str, Tie]


def found_name(wanted: str, prefix: str, known: Mapping[str, object]) -> str | None:
    """Return the full name of a layer as a line under a prefix writes it: its own scope is searched first."""
    scopes = prefix.split("/")[:-1]
    for depth in range(len(scopes), -1, -1):
        name = "/".join([*scopes[:depth], wanted])
        if name in known:
            return name
    return None


def unknown_layer(wanted: str, known: Mapping[str, object], span: Span) -> Diagnostic:
    """Return the error of a layer that is not there, or not yet."""
    otherwise = f"name an earlier layer, such as {list(known)[-1]}" if known else "leave as= out: no layer is before it"
    help, fix = did_you_mean(near(wanted, known), span, otherwise)
    return Diagnostic("E103", f'no layer before this one is called "{wanted}"', span, help=help, fix=fix)


def tied(layer: Layer, shape: Shape, owner: Node) -> Ties:
    """Return the arrays that a layer takes from the owner, by their names in the layer.

    A layer of the owner's kind takes every array that both have; where they are a dense layer whose weight has the
    transposed shape, as in an autoencoder, the weight alone, transposed. A layer of another kind takes the weight,
    transposed: the output after an embedding. Raises Misfit where they do not fit.
    """
    own, theirs = layer.parameters(shape), owner.layer.parameters(owner.input_shape)
    if getattr(layer, "init", None) is not None:
        raise Misfit(f"its weights are those of {owner.name}, which begin as init= there says", "leave init= out")
    if not theirs:
        raise Misfit(f"{owner.name} is {owner.layer.word}, which has no weights", "name a layer with weights")
    same_kind = type(layer) is type(owner.layer)
    common = [name for name in own if name in theirs]
    if same_kind and all(own[name].shape == theirs[name].shape for name in common):
        return {name: _followed(owner, name, transposed=False) for name in common}
    if _transposed(own, theirs):
        return {"weight": _followed(owner, "weight", transposed=True)}
    raise _misfit(layer, shape, owner)


def _transposed(own: Mapping[str, Parameter], theirs: Mapping[str, Parameter]) -> bool:
    """Return whether both have a matrix `weight`, the one of the transposed shape of the other."""
    if "weight" not in own or "weight" not in theirs:
        return False
    return len(own["weight"].shape) == 2 and own["weight"].shape == theirs["weight"].shape[::-1]


def _followed(owner: Node, name: str, transposed: bool) -> Tie:
    """Return the array itself where the owner has taken it from another layer."""
    there = owner.ties.get(name)
    if there is None:
        return Tie(f"{owner.name}/{name}", transposed)
    return Tie(there.array, transposed != there.transposed)


def _misfit(layer: Layer, shape: Shape, owner: Node) -> Misfit:
    """Return the error of arrays that have other shapes."""
    own, theirs = layer.parameters(shape), owner.layer.parameters(owner.input_shape)
    title = f"the weights of {owner.name} do not fit here"
    if type(layer) is type(owner.layer):
        name = next(name for name in own if name in theirs and own[name].shape != theirs[name].shape)
        here, there = ("x".join(map(str, arrays[name].shape)) for arrays in (own, theirs))
        what = f"the {name} of this {layer.word} is {here}, that of {owner.name} {there}"
        return Misfit(what, f"give both the same arguments and inputs of one size, or leave as={owner.name} out", title)
    if any("weight" not in arrays or len(arrays["weight"].shape) != 2 for arrays in (own, theirs)):
        what = f"{owner.name} is {owner.layer.word}, whose weights {layer.word} cannot use"
        return Misfit(what, f"leave as={owner.name} out, or name an earlier {layer.word}", title)
    (inputs, units), (wanted_units, wanted_inputs) = own["weight"].shape, theirs["weight"].shape
    what = (
        f"the weight of this {layer.word} is {inputs}x{units}, that of {owner.name}, transposed, "
        f"{wanted_inputs}x{wanted_units}"
    )
    if inputs != wanted_inputs:
        return Misfit(what, f"write dense {wanted_inputs} -> before it, or let {owner.name} have {inputs} units", title)
    return Misfit(what, f"write {layer.word} {wanted_units} in place of {layer.word} {units}", title)
