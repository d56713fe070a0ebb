"""Augmentation: random changes of the images that a network is trained on, and the statement that lists them.

A class here is an option of `augment`: its only field is the option's value. The runtime has a function for each class.
"""

from copy import copy
from typing import Any, ClassVar, Literal, cast

from pydantic import Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from nnspec.spec_lang.vocabulary.bases import Setting
from nnspec.spec_lang.vocabulary.fields import fields_of
from nnspec.spec_lang.vocabulary.markers import Alone
from nnspec.spec_lang.vocabulary.registry import NOTHING_GIVEN, Word, words


class Augmentation(Word):
    """A random change of an image. A subclass has one field, the value of its option, with a default.

    An amount of 0 changes nothing.
    """

    kind = "augmentation"

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Register the class, and let `augment` have its option."""
        super().__pydantic_init_subclass__(**kwargs)
        fields_of.cache_clear()

    @classmethod
    def field_name(cls) -> str:
        """Return the name of its field."""
        (name,) = cls.model_fields
        return name

    @property
    def amount(self) -> Any:
        """The value of its field."""
        return getattr(self, self.field_name())


class Geometric(Augmentation):
    """A change of where pixels are. Those of one statement are composed, and pixels are interpolated once.

    `numbers` is how many uniform numbers, from −1 to 1, it draws for each image.
    """

    numbers: ClassVar[int] = 1


class Pixelwise(Augmentation):
    """A change of the pixels themselves, after the geometric ones."""


class Shift(Geometric):
    """Move the image."""

    word = "shift"
    numbers = 2
    pixels: float = Field(2.0, ge=0, description="move by up to this many pixels along each axis")


class Rotate(Geometric):
    """Rotate the image about its centre."""

    word = "rotate"
    degrees: float = Field(10.0, ge=0, le=180, description="rotate by up to this many degrees in either direction")


class Zoom(Geometric):
    """Enlarge or shrink the image."""

    word = "zoom"
    share: float = Field(0.1, ge=0, lt=1, description="scale by a factor from 1 − zoom to 1 + zoom")


class Flip(Geometric):
    """Mirror every second image, by chance."""

    word = "flip"
    numbers = 2
    axis: Literal["horizontal", "vertical", "both"] = Field(
        "horizontal", description="mirror half of the images, left and right or top and bottom"
    )


class Cutout(Pixelwise):
    """Erase a square (DeVries & Taylor 2017)."""

    word = "cutout"
    side: int = Field(4, ge=0, description="erase a square of this side, in pixels, anywhere in the image")


class Noise(Pixelwise):
    """Add normal noise to every number."""

    word = "noise"
    deviation: float = Field(
        0.05, ge=0, description="add normal noise of this deviation, 1 being the range of the training data"
    )


class Augment(Setting):
    """Change each training image at random, differently every time it is drawn; validation, test and prediction never.

    Only what is written is done, in one order whatever order it is written in: flip, zoom, rotate and shift are one
    bilinear interpolation, then cutout, then noise. A name alone, such as `flip`, takes the value shown. An erased
    square is what the network sees as 0; under normalize=zscore that is the mean. Noise is added before normalization,
    unclipped. The seed of `train` decides every draw, and each augmentation draws from a stream of its own.
    """

    word = "augment"
    examples = ("augment shift=2 rotate=10 zoom=0.1", "augment shift=2 flip noise=0.1")
    changes: tuple[Augmentation, ...] = ()
    fill: Literal["edge", "reflect", "zeros"] = Field(
        "edge", description="what comes in from outside the image: its edge, its mirror image, or zeros of the raw data"
    )

    def __init__(self, **given: Any):
        """Take each augmentation by its word. Raises ValidationError under that name for a value out of range."""
        changes, wrong = list(given.pop("changes", ())), []
        for word, cls in words("augmentation").items():
            if (amount := given.pop(word, None)) is None:
                continue
            try:
                changes.append(cls(**{_field_name(cls): amount}))
            except ValidationError as error:
                wrong += [{**found, "loc": (word,)} for found in error.errors(include_url=False)]
        if wrong:
            raise ValidationError.from_exception_data(type(self).__name__, wrong)  # type: ignore[arg-type]
        super().__init__(**{**given, "changes": tuple(changes)})

    @model_validator(mode="after")
    def _some(self) -> "Augment":
        if not self.changes:
            raise PydanticCustomError(NOTHING_GIVEN, f"needs one of {', '.join(words('augmentation'))}")
        return self

    @classmethod
    def fields(cls) -> dict[str, FieldInfo]:
        """Return an option for each augmentation, and the others."""
        options = {word: _option(augmentation) for word, augmentation in words("augmentation").items()}
        return {**options, "fill": cls.model_fields["fill"]}

    def argument(self, name: str) -> Any:
        """Return the value of an option, None for an augmentation that is not asked for."""
        if name == "fill":
            return self.fill
        return next((change.amount for change in self.changes if change.word == name), None)


def _field_name(cls: type[Word]) -> str:
    assert issubclass(cls, Augmentation)
    return cls.field_name()


def _option(cls: type[Word]) -> FieldInfo:
    """Return the field of an augmentation as an option that may be left out, or written as a name alone."""
    own = cls.model_fields[_field_name(cls)]
    option = copy(own)
    option.annotation = cast("Any", own.annotation) | None
    option.default = None
    option.metadata = [*own.metadata, Alone(own.default)]
    return option
