"""The pictures of a network or a run, all with one signature: a Subject → its figures.

A module of this package registers the pictures of the same name under `@figures("name")`; no list names it. It gets
the arrays from the subject and has them drawn by `PICTURES`, which know no networks. The command, `nnspec.plot` and the
report draw by these.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nnspec.runtime.data import Data, Split
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.history import RunHistory, history_of
from nnspec.runtime.train.spec_and_data import network_data, split_of
from nnspec.runtime.views import PictureError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nnspec.runtime.train.checkpointing import Saved

Drawer = Callable[["Subject"], "list[Figure]"]


@dataclass(frozen=True)
class Subject:
    """What pictures are of.

    `data` are the samples: Data, a data statement, or None for those that the network was trained on. `split` is one of
    test, validation, train and all; None takes test, or validation where there is no test split. `history` is None for
    a network without a run.
    """

    network: Network
    history: RunHistory | None = None
    data: Data | str | None = None
    split: str | None = None
    sample: int = 0  # of the split: the one whose features are drawn
    beside: Network | None = None  # with whose picture of weights this one is compared, such as the untrained network

    @classmethod
    def of(cls, saved: "Saved", data: Data | str | None = None, split: str | None = None, sample: int = 0) -> "Subject":
        """Return the subject of a checkpoint's content."""
        from nnspec.runtime.train.checkpointing import SavedRun

        history = history_of(saved) if isinstance(saved, SavedRun) else None
        return cls(saved.network, history, data, split, sample)

    @property
    def title(self) -> str:
        """The name of the spec, with the variant."""
        return self.network.spec.title

    @cached_property
    def found(self) -> Data:
        """The data. Raises DataError, SpecError."""
        return self.data if isinstance(self.data, Data) else network_data(self.network, self.data)

    @cached_property
    def samples(self) -> tuple[str, Split]:
        """The name of the split, and its samples. Raises DataError, SpecError."""
        return split_of(self.found, self.split)

    @property
    def place(self) -> str:
        """The data and the split in words: mnist, test."""
        return f"{self.found.name}, {self.samples[0]}"

    @property
    def counted(self) -> str:
        """What has a prediction each: samples, or the steps or pixels of samples."""
        shape = self.network.spec.output_shape
        if shape is None or len(shape) < 2:
            return "samples"
        return "steps" if shape.sequence else "pixels" if len(shape) == 3 else "places"

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes. Raises PictureError where the network gives a sample anything but one class."""
        names, shape = self.network.classes, self.network.spec.output_shape
        if names is None or shape is None or len(shape) != 1:
            raise PictureError(
                f"{self.title} gives {shape} for each sample: it is not a classifier, and this picture is of one"
            )
        return names


def figures(name: str) -> Callable[[Drawer], Drawer]:
    """Register the function as the pictures `name` of a subject."""

    def register(draw: Drawer) -> Drawer:
        _drawers[name] = draw
        return draw

    return register


class _Figures(Mapping[str, Drawer]):
    """The pictures of a subject by name, found by the names of the modules."""

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(module.name for module in pkgutil.iter_modules(__path__)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> Drawer:
        if name not in list(self):
            raise KeyError(name)
        importlib.import_module(f"{__name__}.{name}")
        return _drawers[name]


_drawers: dict[str, Drawer] = {}

FIGURES: Mapping[str, Drawer] = _Figures()
"""Every picture of a network or a run: name → function from a Subject to matplotlib figures, one where not said.

Raises PictureError where the subject has no such picture: a regression has no confusion matrix.
"""
