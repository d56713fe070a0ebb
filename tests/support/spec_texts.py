"""Texts to test the language with: legal specs of every shape, specs with mistakes in them, and anything at all."""

import os
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from hypothesis import settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from nnspec.spec_lang.vocabulary.fields import WordField, fields_of
from nnspec.spec_lang.vocabulary.initializers import Init
from nnspec.spec_lang.vocabulary.optimizers import Optimizer
from nnspec.spec_lang.vocabulary.registry import Word, words
from nnspec.spec_lang.vocabulary.schedules import Schedule


def cases(count: int) -> settings:
    """As many cases of a property, times NNSPEC_CASES where that is set; no deadline, since machines pause."""
    return settings(max_examples=max(1, round(count * float(os.environ.get("NNSPEC_CASES", "1")))), deadline=None)


ROOT = Path(__file__).parents[2]
SHIPPED = [path.read_text(encoding="utf-8") for path in (ROOT / "specs").glob("*.nnspec")]

NAMES = st.sampled_from(["stem", "body", "head", "left", "right", "deep"])
LENGTHS = st.sampled_from(["epochs", "iterations"])
COMMENTS = st.sampled_from(["", "", "", "", "  # a word about it", " #! odd -> (", "# é · “quoted”"])


def number(info: FieldInfo, whole: bool) -> st.SearchStrategy[Any]:
    """A number inside a field's bounds, of a size that people write."""
    low, high = 0.0, 1000.0
    for bound in info.metadata:
        match bound:
            case Gt(gt=gt):
                low = max(low, float(gt) + (1 if whole else 1e-6))  # type: ignore[arg-type]
            case Ge(ge=ge):
                low = max(low, float(ge))  # type: ignore[arg-type]
            case Lt(lt=lt):
                high = min(high, float(lt) - (1 if whole else 1e-6))  # type: ignore[arg-type]
            case Le(le=le):
                high = min(high, float(le))  # type: ignore[arg-type]
    if whole:
        return st.integers(int(low), int(high))
    return (
        st.floats(low, high, allow_nan=False)
        .map(lambda value: float(f"{value:.3g}"))
        .filter(lambda v: low <= v <= high)
    )


def _annotations(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for part in get_args(annotation) for inner in _annotations(part)]
    return [annotation]


def option(cls: type[Word], slot: WordField) -> st.SearchStrategy[str]:
    """`name=value` for a field that is an option, with any value it takes."""
    info = cls.fields()[slot.name]
    values: list[st.SearchStrategy[str]] = [st.sampled_from(slot.choices)] if slot.choices else []
    for annotation in _annotations(info.annotation):
        if annotation is bool:
            values.append(st.sampled_from(["yes", "no", "on", "off", "true"]))
        elif annotation is int:
            values.append(number(info, whole=True).map(str))
        elif annotation is float:
            values.append(number(info, whole=False).map(repr))
        elif annotation is str and not slot.choices:
            values.append(st.sampled_from(["accuracy", '"a text"', "loss"]))
        elif slot.several and annotation == tuple[float, ...]:
            several = st.lists(st.integers(1, 99), min_size=1, max_size=4, unique=True).map(sorted)
            values.append(several.map(lambda numbers: ",".join(map(str, numbers))))
        elif get_origin(annotation) is Literal:
            values.append(st.sampled_from([str(choice) for choice in get_args(annotation)]))
    return st.one_of(values).map(lambda value: f"{slot.name}={value}")


def with_options(cls: type[Word]) -> st.SearchStrategy[str]:
    """A word without bare values, with some of its options."""
    named = [slot for slot in fields_of(cls).values() if not slot.bare]
    required = [option(cls, slot) for slot in named if slot.required]
    others = [option(cls, slot) for slot in named if not slot.required]
    return st.builds(
        lambda first, rest: " ".join([cls.word, *first, *rest]),
        st.tuples(*required),
        _some(others),
    )


def _some(choices: list[st.SearchStrategy[str]]) -> st.SearchStrategy[list[str]]:
    """Any of these, each at most once, in any order."""
    picked = st.lists(st.sampled_from(range(len(choices))), unique=True, max_size=3) if choices else st.just([])
    return picked.flatmap(lambda chosen: st.tuples(*(choices[index] for index in chosen)).map(list))


def _of(kind: str, base: type[Word]) -> st.SearchStrategy[str]:
    known = [cls for cls in words(kind).values() if issubclass(cls, base)]
    return st.sampled_from(known).flatmap(with_options).map(lambda text: f"{kind} {text}")


SETTINGS = st.tuples(
    st.none() | _of("optimizer", Optimizer),
    st.none() | _of("init", Init).filter(lambda text: "uniform" not in text or "=" not in text),
    st.none() | _of("schedule", Schedule).filter(lambda text: "one_cycle" not in text or "warmup" not in text),
    st.none() | st.builds("train {} {} batch={}".format, st.integers(1, 99), LENGTHS, st.integers(1, 64)),
    st.none() | st.integers(1, 9).map("early_stop patience={}".format),
    st.none() | st.sampled_from(["metrics accuracy, f1", "metrics accuracy top3", "metrics f1"]),
    st.none() | NAMES.map("network {}".format),
).map(lambda lines: [line for line in lines if line is not None])  # fmt: skip


@st.composite
def stages(draw: st.DrawFn, channels: int, depth: int = 2, blocks: bool = True) -> str:
    """Stages that take an image of any size and give one of `channels` channels and the same size."""
    made: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        kinds = ["conv", "relu", "batchnorm", "pool", "dropout", "layernorm"]
        kinds += ["sum", "concatenation", "repeat", "group"] if depth else []
        kinds += ["block", "use"] if blocks else []
        match draw(st.sampled_from(kinds)):
            case "conv":
                activation = draw(st.sampled_from(["", " relu", " tanh"]))
                made.append(f"conv {draw(st.sampled_from(['3x3', '5', '1x3']))} x{channels}{activation} pad=same")
            case "pool":
                made.append(f"{draw(st.sampled_from(['maxpool', 'avgpool']))} 3 stride=1 pad=same")
            case "dropout":
                made.append(f"dropout 0.{draw(st.integers(1, 9))}")
            case "sum":
                inside = st.just("skip") | stages(channels, depth - 1, blocks)
                made.append(f"({' + '.join(draw(st.lists(inside, min_size=2, max_size=3)))})")
            case "concatenation":
                branches = draw(st.lists(stages(channels, depth - 1, blocks), min_size=2, max_size=3))
                made += [f"({' | '.join(branches)})", f"conv 1x1 x{channels}"]
            case "repeat":
                made.append(f"repeat {draw(st.integers(1, 3))} ({draw(stages(channels, depth - 1, blocks))})")
            case "group":
                made.append(f"({draw(stages(channels, depth - 1, blocks))})")
            case "block":
                made.append(f"twice {channels}")
            case "use":
                made.append(f"res {channels} relu")
            case plain:
                made.append(plain)
    label = draw(st.none() | NAMES) if depth == 2 else None
    if label is not None:
        made[0] = f"{label}: {made[0]}"
    return " -> ".join([*made, f"conv 1x1 x{channels}"])


BLOCKS = """\
block twice(w) = conv 3x3 x$w pad=same -> inner: (conv 1x1 x$w relu | skip) -> conv 1x1 x$w
block res(w, act) = (conv 3x3 x$w $act pad=same -> twice w=$w + skip) -> dropout $drop
"""


@st.composite
def layouts(draw: st.DrawFn, text: str) -> str:
    """The same text with other blanks, line ends and comments, where they change nothing."""
    rows: list[str] = []
    for line in text.split("\n"):
        parts = line.split(" ")
        spaced = draw(st.sampled_from([" ", "  ", "\t"])).join(parts) if '"' not in line else line
        if draw(st.booleans()) and "->" in line:
            arrow = draw(st.sampled_from(["\n  -> ", " ->\n", "->", " ->  # why\n\n    "]))
            spaced = arrow.join(part.strip() for part in spaced.split("->"))
        rows.append(spaced + draw(COMMENTS))
        if draw(st.integers(0, 4)) == 0:
            rows.append(draw(st.sampled_from(["", "\n\n", "# alone", "\n# a paragraph\n"])))
    return draw(st.sampled_from(["\n", "\r\n"])).join("\n".join(rows).split("\n"))


@st.composite
def specs(draw: st.DrawFn) -> str:
    """A legal spec with blocks, lets, branches, repeats, names, settings, a variant and a sweep."""
    channels = draw(st.integers(1, 4))
    network = draw(st.lists(stages(channels), min_size=1, max_size=2, unique=True))
    chosen = draw(SETTINGS)
    lines = [f"let drop = 0.{draw(st.integers(1, 9))}", *BLOCKS.strip().split("\n"), "input 8x8x2"]
    lines += [f"conv 1x1 x{channels} -> {network[0]} -> dense 3 softmax"]
    lines += draw(st.permutations(chosen))
    if draw(st.booleans()):
        inside = draw(SETTINGS)
        lines += ["variant other {", *(f"    {line}" for line in inside), "}"]
    if draw(st.booleans()):
        lines.append(
            draw(
                st.sampled_from(
                    [
                        "sweep drop = 0.1, 0.2",
                        "sweep train.seed = 1, 2,3",
                        "let half = 2*( 3 -1 )//2",
                        "sweep train.seed = 1..9 step 2",
                        "sweep drop=log  0.1 .. 0.2 points 3",
                        "sweep optimizer.lr=0.1",
                        "expect loss<2, validation_loss  <= 3.5",
                    ]
                )
            )
        )
    return "\n".join(lines)


ODD = (
    *(
        "->",
        "(",
        ")",
        "{",
        "}",
        "+",
        "|",
        ",",
        "=",
        "x",
        "x8",
        "3x3",
        "0",
        "-1",
        "1e999",
        '"',
        "'",
        "$w",
        "$",
        "#",
        ":",
    ),
    *("\n", " ", "\x00", "\ufeff", "é", "\u2028", "\t", "let ", "block a() = a", "variant v {", "repeat 9 (", "skip"),
    *("repeat 99999999 (skip)", 'include "a"', "sweep a = 1", "conv", "dense", "optimizer ", "9" * 400, "1x" * 30),
    *("data mnist", "loss mse", "input 3", "a: ", "b:b:", " = 3"),
)
"""Pieces that have no business where they are put."""


@st.composite
def mutated(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text with a few mistakes: pieces left out, doubled, moved, or replaced by others."""
    text = draw(texts)
    for _ in range(draw(st.integers(1, 6))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 12))
        piece = draw(st.sampled_from(ODD) | st.just(text[at : at + length]) | st.just(""))
        to = draw(st.integers(0, len(text)))
        text = text[:to] + piece + text[to + draw(st.integers(0, length)) :]
    return text
