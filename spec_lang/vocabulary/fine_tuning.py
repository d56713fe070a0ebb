"""The statements of fine-tuning: layers that do not learn, and layers that learn at a rate of their own."""

from collections.abc import Iterable

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Setting
from nnspec.spec_lang.vocabulary.markers import Fraction, LayerNames


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
