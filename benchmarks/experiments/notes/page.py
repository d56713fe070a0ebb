"""The part of docs/experiments.md on the notes' pictures and claims."""

import json
from pathlib import Path

from benchmarks.experiments.notes.claims import Detail, Fit, Meaning, section
from benchmarks.experiments.shipped import RESULTS

KEPT = RESULTS / "notes.json"

PICTURES = """\
![Small panels with the loss and accuracy of all eleven experiments](pictures/notes_curves.png)

The weights of some units of the dense network (paper_sgd) and of the filters of the convolutional one, before training
and after it:

![Weights of the dense layer before training: noise](pictures/notes_paper_sgd_before.png)
![Weights of the dense layer after training](pictures/notes_paper_sgd_after.png)
![The eight filters of the convolution before training](pictures/notes_cnn_before.png)
![The eight filters of the convolution after training](pictures/notes_cnn_after.png)

Where the convolutional network looks, by windows of 2x2 and of 3x3: three test images of each digit, and the average of
their maps.

![Occlusion maps of the ten digits with a window of 2x2](pictures/notes_occlusion_2x2.png)
![Occlusion maps of the ten digits with a window of 3x3](pictures/notes_occlusion_3x3.png)

![Confusion of the convolutional network on the test digits](pictures/notes_confusion.png)"""


def text(kept: Path = KEPT) -> str:
    """Return the pictures, and the answers from what is kept; an empty text where nothing is."""
    if not kept.exists():
        return ""
    found = json.loads(kept.read_text(encoding="utf-8"))
    answers = section(
        {name: Meaning(**one) for name, one in found["weights"].items()},
        {name: Fit(**one) for name, one in found["fits"].items()},
        {window: Detail(**one) for window, one in found["details"].items()},
    )
    return (
        "## What the notes show\n\n"
        "`python -m benchmarks.experiments.notes` trains them by the sweep, draws these pictures of seed 1, "
        f"and measures three claims of the notes; numbers are medians over the seeds.\n\n{PICTURES}\n\n{answers}"
    )
