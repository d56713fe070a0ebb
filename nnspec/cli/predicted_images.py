"""The images that a network predicts: one line for each, and the files of `nnspec predict --out`."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnspec.cli.output import translate_write_errors

if TYPE_CHECKING:
    from nnspec.runtime.arrays import Array
    from nnspec.runtime.infer.network import Network


def summary(network: "Network", output: "Array") -> str:
    """Return an image of outputs (height, width, channels) in a few words: its size, and what its pixels are."""
    height, width, channels = output.shape
    loss, size = network.spec.loss, f"{height}x{width}"
    if loss.classes:
        shares = np.bincount(output.argmax(axis=-1).reshape(-1), minlength=channels) / (height * width)
        shown = ", ".join(f"class {number} {100 * share:.1f} %" for number, share in enumerate(shares) if share)
        return f"{size}: {shown}"
    if loss.labels:
        shares = (output >= loss.threshold).reshape(-1, channels).mean(axis=0)
        return f"{size}: {', '.join(f'{100 * share:.1f} %' for share in shares)} yes"
    return f"{size}: {output.min():.4g} to {output.max():.4g}"


def written_images(
    folder: Path, network: "Network", predictions: Sequence[dict[str, Any]], outputs: "Array"
) -> list[str]:
    """Write each image to a folder, which is made, and return the paths; no file is written over.

    Classes and probabilities become a .png from black to white, numbers a .npy (height, width, channels).
    """
    from PIL import Image

    loss, written = network.spec.loss, []
    with translate_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for prediction, output in zip(predictions, outputs, strict=True):
            stem = _stem(prediction["input"])
            number, name = 2, stem
            while any((folder / f"{name}{kind}").exists() for kind in (".png", ".npy")):
                name, number = f"{stem}-{number}", number + 1
            if loss.classes:
                grey = output.argmax(axis=-1) * (255 / max(output.shape[-1] - 1, 1))
            elif loss.labels and output.shape[-1] in (1, 3):
                grey = 255 * (output[..., 0] if output.shape[-1] == 1 else output)
            else:
                np.save(folder / f"{name}.npy", output)
                written.append(str(folder / f"{name}.npy"))
                continue
            Image.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8)).save(folder / f"{name}.png")
            written.append(str(folder / f"{name}.png"))
    return written


def _stem(label: str) -> str:
    """Return the name of a file for a sample: x-77 for folder/x.npy[77]."""
    return re.sub(r"\.\w+(?=$|\[)", "", Path(label).name).replace("[", "-").replace("]", "")
