"""A word of the language is a Pydantic model: its fields are its arguments, its docstring its help.

Registries find the words: a class that names its `word` is known from the moment its module is imported, and
`load_words` imports every module of the folders where words live.
"""

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from spec_lang.shape import Parameter, Shape

T = TypeVar("T")

MOST_SIZES = 8
"""Axes of a shape."""


@dataclass(frozen=True)
class Bare:
    """Marks a field that a value without a name may fill, and the kinds of value that do."""

    kinds: tuple[str, ...]
    example: str


Positive = Annotated[int, Field(gt=0)]
Window = Annotated[tuple[Positive, ...], Bare(("size", "int"), "3x3"), Field(max_length=MOST_SIZES)]
Whole = Annotated[int, Bare(("int",), "10")]
Count = Annotated[int, Bare(("count",), "x8")]
Fraction = Annotated[float, Bare(("number", "int"), "0.5")]
Text = Annotated[str, Bare(("text",), '"file.csv"')]
Name = Annotated[str, Bare(("name",), "a_name")]


@dataclass(frozen=True)
class Chosen:
    """Marks a field whose value is the name of a word of some kind, such as an activation."""

    kind: str


class Word(BaseModel):
    """The base of every word. A subclass with a `word` of its own enters the registry of its `kind`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)

    kind: ClassVar[str]
    word: ClassVar[str]
    examples: ClassVar[tuple[str, ...]] = ()
    heads_a_file: ClassVar[bool] = False

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Enter the registry."""
        if "word" in cls.__dict__:
            _REGISTRY.setdefault(cls.kind, {})[cls.word] = cls

    @classmethod
    def fields(cls) -> dict[str, FieldInfo]:
        """The fields as they are written: a word's own first, what it shares with others after them."""
        own = [name for name in cls.__annotations__ if name in cls.model_fields]
        ordered = dict.fromkeys([*own, *cls.model_fields])
        return {cls.model_fields[name].alias or name: cls.model_fields[name] for name in ordered}

    def argument(self, name: str) -> Any:
        """The value of a field by the name that it is written with: `return`, which Python keeps for itself, is one."""
        fields = type(self).model_fields
        return getattr(self, name if name in fields else next(f for f, info in fields.items() if info.alias == name))

    @classmethod
    def help(cls) -> str:
        """The first sentence about the word."""
        return (cls.__doc__ or "").strip().split("\n")[0]


_REGISTRY: dict[str, dict[str, type[Word]]] = {}


@cache
def load_words() -> None:
    """Import every module that may define words: those of this package and of its folder of layers.

    Words are kept in the order of their modules' names, whichever module came first, and as they stand in a module.
    """
    for folder in ("spec_lang", "spec_lang.layers"):
        package = importlib.import_module(folder)
        for module in pkgutil.iter_modules(package.__path__, f"{folder}."):
            importlib.import_module(module.name)
    for kind, found in _REGISTRY.items():
        _REGISTRY[kind] = dict(sorted(found.items(), key=lambda entry: entry[1].__module__))


def words(kind: str) -> dict[str, type[Word]]:
    """Every word of a kind ("layer", "optimizer", "data", …) by its name."""
    load_words()
    return _REGISTRY.get(kind, {})


SECTIONS = ("data", "init", "loss", "optimizer", "schedule")
"""Statements that name a word of their own kind: `optimizer adam lr=0.01`."""


@cache
def statements() -> dict[str, dict[str, type[Word]]]:
    """Every statement but the network by its first word: the words that it may name, or itself alone."""
    return {**{name: {name: cls} for name, cls in words("setting").items()}, **{kind: words(kind) for kind in SECTIONS}}


def marker(field: FieldInfo, kind: type[T]) -> T | None:
    """The marker of a kind on a field, also where the field is `Marked | None`."""
    for entry in field.metadata:
        if isinstance(entry, kind):
            return entry
    for argument in get_args(field.annotation):
        if get_origin(argument) is Annotated:
            for entry in get_args(argument)[1:]:
                if isinstance(entry, kind):
                    return entry
    return None


class Setting(Word):
    """A statement that stands alone on its line, such as `train 5 epochs`; `kind` is "setting"."""

    kind = "setting"


class Layer(Word):
    """A layer: what it makes of a shape and which arrays it learns. Its arithmetic lives in the runtime."""

    kind = "layer"

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of one output for one input; raises Misfit where the layer does not fit."""
        return shape

    def completed(self, shape: Shape) -> "Layer":
        """The layer with what it takes from its place filled in, such as the number of the data's symbols."""
        return self

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """The arrays that training changes, by name, for this input shape."""
        return {}

    def buffers(self, shape: Shape) -> dict[str, Parameter]:
        """The arrays that training keeps but no gradient changes, such as running means."""
        return {}

    def carries(self, shape: Shape) -> int:
        """How many numbers of a sample the layer hands from its last step to the first one of what follows."""
        return 0

    def flops(self, shape: Shape) -> int:
        """Floating-point operations of one sample's forward pass, a multiply-add counted as two."""
        return 0


class Weighted(Layer):
    """A layer with a weight, a bias, an activation after it and penalties on its weight."""

    activation: Annotated[str, Bare(("name",), "relu"), Chosen("activation")] = Field(
        "linear", description="the function of what comes out"
    )
    bias: bool = Field(True, description="whether a learnt number is added to each output")
    init: Annotated[str | None, Chosen("init")] = Field(
        None, description="how the weights begin, instead of the spec's init"
    )
    l1: float = Field(0.0, ge=0, description="penalty on the sizes of the weights")
    l2: float = Field(0.0, ge=0, description="penalty on the squares of the weights")

    def with_bias(self, weight: Parameter, outputs: int) -> dict[str, Parameter]:
        """The weight and, unless `bias=no`, a bias of zeros for each output."""
        bias = {"bias": Parameter((outputs,), init="zeros")} if self.bias else {}
        return {"weight": weight, **bias}

    def activate(self) -> Layer:
        """The activation as the layer that it is."""
        cls = words("activation")[self.activation]
        layer = cls()
        assert isinstance(layer, Layer)
        return layer


def layers() -> dict[str, type[Word]]:
    """Every word that may stand in a pipeline: layers, and activations as layers of their own."""
    return {**words("layer"), **words("activation")}
