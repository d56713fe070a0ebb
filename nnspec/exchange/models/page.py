"""The page that a model becomes: its stages one after another, formatted and checked."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nnspec.exchange.errors import ExchangeError
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.syntax.grammar import is_name
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.registry import layers
from nnspec.spec_lang.vocabulary.summary import known_words


@dataclass
class Draft:
    """What has been read of a model: its input as a spec says it, its stages, other lines, and what there is to say.

    `weights` are the shapes of the weights of stages, by the place of the stage, with the name of the layer there.
    `axes` says what the next layer reads: "image", "steps", "channels first" for steps with the channels before them,
    "row", "symbols", or "" where it is not known.
    """

    framework: str
    name: str
    input: str = ""
    axes: str = ""
    stages: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    weights: dict[int, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def add(self, texts: Iterable[str], called: str = "") -> None:
        """Add stages; one that learns has its name in the model where that is a name here, and no other one's."""
        for text in texts:
            word = layers().get(text.split(" ")[0])
            learns = word is not None and issubclass(word, Layer) and word.parameters is not Layer.parameters
            if learns and is_name(called) and called not in self.names and called not in layers():
                self.names.add(called)
                text = f"{called}: {text}"
            self.stages.append(text)

    def expect(self, called: str, *shape: int) -> None:
        """Note the shape that the weight of the next stage has in the model, as it is here."""
        self.weights[len(self.stages)] = called, shape

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self.notes:
            self.notes.append(text)


@dataclass(frozen=True)
class Page:
    """A page, the spec that it is, and what there is to say about it."""

    text: str
    spec: Spec
    notes: tuple[str, ...]


def written_page(draft: Draft) -> Page:
    """Return the page of a draft in canonical form. Raises ExchangeError where it would not be a valid spec."""
    if not draft.stages:
        raise ExchangeError(f"{draft.name} has no layers that compute anything")
    name = re.sub(r"\W+", "_", draft.name).strip("_").lower()
    lines = [f"network {name}"] if is_name(name) else []
    lines += [f"input {draft.input}"] if draft.input else []
    text = "\n".join([*lines, "", " -> ".join(draft.stages), "", *draft.settings]) + "\n"
    try:
        spec = check_source(Source("the page", format_source(text, known_words())))
    except SpecError as error:
        raise ExchangeError(f"{draft.name} would be a page that does not hold\n{error}") from None
    _check_weights(draft, spec)
    about = f"# A model of {draft.framework}"
    about += f", {spec.parameter_count:,} parameters.\n" if spec.nodes else ".\n"
    notes = list(draft.notes)
    if not draft.input:
        notes.append("the model does not say the shape of a sample: add a line such as input 28x28x1, or give --input")
    if spec.nodes and spec.nodes[-1].layer.ends_in == "linear":
        notes.append(
            "it ends in numbers, as the model does; where they are scores of classes, end it in softmax to train it"
        )
    about += "".join(f"# {note[0].upper()}{note[1:]}.\n" for note in notes)
    formatted = format_source(about + text, known_words())
    return Page(formatted, check_source(Source("the page", formatted)), tuple(notes))


def _check_weights(draft: Draft, spec: Spec) -> None:
    """Raise ExchangeError where a layer would have another weight than in the model: the input is another one."""
    for place, (called, shape) in draft.weights.items():
        if not spec.nodes:
            return
        node = spec.nodes[place]
        ours = node.layer.parameters(node.input_shape)["weight"].shape
        if ours != shape:
            also = "".join(f"; {note}" for note in draft.notes)
            said = f"{called}: its weight would be {size(ours)} on the page, and is {size(shape)} in the model"
            help = "--input says the shape of a sample, an image as HEIGHTxWIDTHxCHANNELS"
            raise ExchangeError(f"{said}: is a sample {draft.input}?{also}\n  help: {help}")


def size(numbers: int | Sequence[int]) -> str:
    """Return sizes as the language writes them: 3x2, or 3. Raises TypeError for what is not whole numbers."""
    found = [numbers] if isinstance(numbers, int) else list(numbers)
    if not found or not all(type(number) is int for number in found):
        raise TypeError(f"{numbers!r} is not a size")
    return "x".join(map(str, found))


def both(numbers: int | Sequence[int]) -> str:
    """Return sizes of both axes as one number where they are equal."""
    return size(numbers if isinstance(numbers, int) or len(set(numbers)) > 1 else numbers[0])


def options(**given: object) -> str:
    """Return options as ` key=value`, without those that are None. Raises TypeError for a text that is not a word."""
    return "".join(f" {name}={_value(value)}" for name, value in given.items() if value is not None)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if not isinstance(value, int) and not re.fullmatch(r"\w+", str(value)):
        raise TypeError(f"{value!r} is not a value")
    return str(value)
