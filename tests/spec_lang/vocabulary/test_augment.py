"""The augment statement: each option is a word of its own, and a name alone is its default."""

import pytest

from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.difference import spec_differences
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.editor.complete import complete
from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.editor.hover import hover
from nnspec.spec_lang.report.diagnostics import Diagnostic
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.vocabulary.augment import Augment, Augmentation, Shift
from nnspec.spec_lang.vocabulary.registry import words
from nnspec.spec_lang.vocabulary.summary import known_words

NETWORK = "input 8x8x1\ndense 3 softmax\n"


def checked(line: str, network: str = NETWORK, **kinds: object) -> Spec:
    return Request(f"{network}{line}\n", **kinds).check()  # type: ignore[arg-type]


def error(line: str, network: str = NETWORK) -> Diagnostic:
    with pytest.raises(SpecError) as raised:
        checked(line, network)
    (found,) = raised.value.diagnostics
    return found


def amounts(spec: Spec) -> dict[str, object]:
    assert spec.augment is not None
    return {change.word: change.amount for change in spec.augment.changes}


def test_every_augmentation_has_one_field_with_a_default() -> None:
    for cls in words("augmentation").values():
        assert issubclass(cls, Augmentation)
        assert cls().amount is not None and len(cls.model_fields) == 1


def test_the_statement_of_the_design_says_what_it_looks_like() -> None:
    line = "augment shift=2 rotate=10 zoom=0.1 flip=horizontal noise=0.05 cutout=4"
    assert amounts(checked(line)) == {
        "shift": 2,
        "rotate": 10,
        "zoom": 0.1,
        "flip": "horizontal",
        "cutout": 4,
        "noise": 0.05,
    }
    assert checked("augment shift rotate zoom flip noise cutout").augment == checked(line).augment


def test_without_the_statement_there_is_no_augmentation_and_no_line_of_it() -> None:
    assert checked("").augment is None
    assert "augment" not in canonical_text(checked(""))


@pytest.mark.parametrize("line", ["augment flip", "augment noise=0.1 shift=0", "augment zoom=0.2 fill=reflect"])
def test_the_text_with_every_default_means_the_same(line: str) -> None:
    spec = checked(line)
    assert Request(canonical_text(spec)).check().augment == spec.augment


@pytest.mark.parametrize(
    ("line", "code", "message", "help"),
    [
        ("augment", "E105", "augment needs one of shift, rotate, zoom, flip, cutout, noise", "write augment shift=2"),
        ("augment fill=edge", "E105", "augment needs one of", "write augment shift=2"),
        ("augment shift=-1", "E202", "shift must be 0 or more", "write a value of 0 or more"),
        ("augment zoom=1", "E202", "zoom must be less than 1", "write a value of less than 1"),
        ("augment rotate=200", "E202", "rotate must be 180 or less", "write a value of 180 or less"),
        ("augment cutout=2.5", "E201", "cutout cannot be 2.5", "write a whole number"),
        ("augment flip=left", "E103", 'flip cannot be "left"', "write horizontal, vertical or both"),
        ("augment flop", "E104", "augment has no use for flop", "did you mean flip?"),
        ("augment flip flip", "E106", "flip is given twice", "leave one of them out"),
        ("augment flip flip=both", "E106", "flip is given twice", "leave one of them out"),
        ("augment fill=blank", "E103", 'fill cannot be "blank"', "write edge, reflect or zeros"),
        ("augment rotation=5", "E102", 'augment has no option "rotation"', "write rotate=5"),
        ("augment 2", "E104", "augment has no use for 2", "write augment shift=2"),
        ("augmentation shift=2", "E101", "augmentation", "did you mean augment?"),
    ],
)
def test_a_mistake_is_one_error_that_says_what_to_write(line: str, code: str, message: str, help: str | None) -> None:
    found = error(line)
    assert found.code == code and message in found.message
    assert found.help is None if help is None else help in (found.help or "")


@pytest.mark.parametrize(
    ("network", "help"),
    [
        ("input 13\ndense 3 softmax\n", "leave it out"),
        ("input 28x28\nflatten -> dense 3 softmax\n", "write input 28x28x1"),
        ("input 784\ndata mnist_sample\ndense 10 softmax\n", "write input 28x28x1"),
        ("data dinos\nonehot -> rnn 5 return=sequence -> dense 27 softmax\n", "leave it out"),
    ],
)
def test_samples_that_are_no_images_are_refused_and_the_help_works(network: str, help: str) -> None:
    found = error("augment shift", network)
    assert (found.code, help in (found.help or "")) == ("E305", True)
    if help.startswith("write input"):
        line = next(line for line in network.splitlines() if line.startswith("input"))
        assert checked("augment shift", network.replace(line, help.removeprefix("write "))).augment is not None


def test_an_option_is_set_from_outside_swept_and_turned_off_in_a_variant() -> None:
    assert amounts(checked("augment shift=2", settings={"augment.shift": 3, "augment.noise": 0.2})) == {
        "shift": 3,
        "noise": 0.2,
    }
    assert amounts(checked("", settings={"augment.flip": "both"})) == {"flip": "both"}
    swept = checked("augment shift\nsweep augment.shift = 0, 1, 2")
    assert swept.sweeps == (("augment.shift", ("0", "1", "2")),)
    off = checked("augment shift rotate\nvariant plain {\n  augment shift=0\n}", variant="plain")
    assert amounts(off) == {"shift": 0}


def test_a_difference_names_the_option() -> None:
    found = spec_differences(checked("augment shift=2 flip"), checked("augment shift=3"))
    assert {str(difference) for difference in found} == {
        "augment.shift: 2 → 3",
        "augment.flip: horizontal → none",
    }


def test_an_editor_completes_and_explains_the_options() -> None:
    text = f"{NETWORK}augment "
    offered = {item.text: item for item in complete(Document(Source("a", text)), len(text)).items}
    assert {"shift=", "rotate=", "zoom=", "flip=", "cutout=", "noise=", "fill="} <= set(offered)
    values = f"{NETWORK}augment flip="
    assert {"horizontal", "vertical", "both"} <= {
        item.text for item in complete(Document(Source("a", values)), len(values)).items
    }
    said = f"{NETWORK}augment flip shift=2"
    for word in ("flip", "shift"):
        explained = hover(Document(Source("a", said)), said.rindex(word) + 1)
        assert explained is not None and f"`{word}" in explained.text


def test_the_formatter_keeps_the_line_as_written() -> None:
    line = "augment shift=2 flip noise=0.1"
    assert line in format_source(f"{NETWORK}{line}\n", known_words()).replace("   ", " ").replace("  ", " ")


def test_the_words_themselves_are_taken_too() -> None:
    assert Augment(changes=(Shift(pixels=1),)) == Augment(shift=1)
