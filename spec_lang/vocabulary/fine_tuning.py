"""The statements of fine-tuning: the weights to begin with, layers that do not learn, and rates of single layers."""

import os
from collections.abc import Iterable
from pathlib import Path

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Setting
from nnspec.spec_lang.vocabulary.markers import Fraction, LayerNames, Names, Text


class From(Setting):
    """Begin with the layers of a checkpoint, or of a run's last.h5, that have the same names, arrays and shapes.

    Running averages are taken too, and of a run with `ema` its averages. Other layers are drawn as without it.
    `nnspec train` says what was taken and what was not; it is an error if nothing was, or a layer of `only=` was not.
    `--init-from` is this line from outside. The path is relative to the spec. The checkpoint of a run and its
    resolved.nnspec have the SHA-256 of the file, which training from them checks; resume does not read the file.
    """

    word = "from"
    examples = ('from "runs/digits/best.h5"', 'from "runs/digits" only=conv1, conv2')
    path: Text = Field(description="the checkpoint, or the folder of a run")
    only: Names = Field((), description="the layers to take, named as for freeze; default: all")
    sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="the SHA-256 that the file must have; default: any"
    )

    def moved(self, before: Path, after: Path) -> "From":
        """Return the statement with a path relative to the folder `before` rewritten relative to `after`."""
        if os.path.isabs(self.path):
            return self
        return self.model_copy(update={"path": os.path.relpath(before.resolve() / self.path, after.resolve())})


class Freeze(Setting):
    """Layers that do not learn. A name may end in *, and the name of a block or group stands for all its layers.

    No gradient, weight decay, penalty or average of weights changes them, and what is before all layers that learn has
    no backward pass. A frozen batchnorm normalizes by its running averages, as at inference, and leaves them as they
    are, as Keras's trainable=False does.
    """

    word = "freeze"
    examples = ("freeze conv1, conv2", "freeze conv*")
    names: LayerNames = Field(description="the layers")


class Rate(Setting):
    """Layers whose learning rate is multiplied by a factor of their own. Names are those of `freeze`.

    A spec may have several of these lines. A layer has one factor at most, and a layer that is frozen none.
    """

    word = "rate"
    repeats = True
    examples = ("rate conv1 0.1", "rate embed1, gru* 0.5")
    names: LayerNames = Field(description="the layers")
    factor: Fraction = Field(gt=0, description="the factor on the learning rate, and on decoupled weight decay")


def layers_named(name: str, layers: Iterable[str]) -> list[str]:
    """Return the layers that a name of these statements means: itself, those inside, or those that begin so before *.

    `layers` are the full names, such as res1/conv1.
    """
    if name.endswith("*"):
        return [layer for layer in layers if layer.startswith(name[:-1])]
    return [layer for layer in layers if layer == name or layer.startswith(f"{name}/")]
