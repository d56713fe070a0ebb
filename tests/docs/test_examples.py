"""The examples of the verbs, on docs/command.md and in --help, run in a folder that has what they name."""

import importlib.util
import re
import shutil
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nnspec
from nnspec.cli import command_line
from nnspec.runtime.data.examples import write_example
from tools.pages import run
from tools.provided import provide
from tools.verbs import verbs

EXAMPLES = [text for _, verb in verbs(command_line, "nnspec") for text in getattr(verb, "examples", ())]

ELSEWHERE = {
    "nnspec lsp": "speaks to an editor: tests/nnspec/lsp",
    "nnspec serve": "serves until it is stopped: tests/nnspec/serving",
    "nnspec studio": "serves until it is stopped: tests/nnspec/studio",
    "nnspec data example iris": "needs scikit-learn: tests/nnspec/cli/verbs/data",
    "nnspec data fetch": "downloads: tests/runtime/data",
    "--backend dask": "needs a cluster: tests/runtime/sweep",
    "specs/notes.nnspec --s": "trains for an hour",
    "specs/notes.nnspec --variant paper_sgd": "trains for a minute",
    "nnspec test specs/*.nnspec": "trains for hours",
    "nnspec import": "made by Keras or PyTorch: docs/exchange.md",
    "--to spec": "made by Keras or PyTorch: docs/exchange.md",
}
"""Parts of examples that are not run here, and why, or where."""

NEEDED = {
    "--to onnx": "onnxruntime",
    "--tensorboard": "tensorboard",
    "--trials": "optuna",
}
"""Packages that examples with these parts need."""

NETWORK = """\
let width = 8
dense $width relu -> dense softmax
data csv "iris.csv" target=species
train 4 epochs
expect accuracy >= 1 %
sweep optimizer.lr = 0.01, 0.1
variant large { let width = 16 }
"""
SHORT = {"train": "20 iterations batch=8"}
SHIPPED = ("mnist_cnn", "mnist_best", "sine_rnn", "dinos", "passengers", "unet_strokes")


def prepare() -> None:
    """Put what the examples name into the current folder: invented flowers, pictures, and runs of a few steps."""
    provide(["runs/quickstart", "seven.png", "specs"], Path())
    Image.open("seven.png").save("photo.jpg")
    for folder in ("garden", "flowers/rose", "flowers/daisy"):
        Path(folder).mkdir(parents=True)
        for number in range(8):
            shutil.copy("seven.png", f"{folder}/{number}.png")
    random = np.random.default_rng(0)
    rows = [",".join([*map(str, random.normal(n % 3, 0.3, 4).round(2)), "abc"[n % 3]]) for n in range(90)]
    for name in ("iris.csv", "new.csv", "flowers.csv", "moved/iris.csv"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("\n".join(["a,b,c,d,species", *rows]) + "\n")
    np.savez("digits.npz", x=random.integers(0, 256, (30, 8, 8), np.uint8), y=np.arange(30) % 10)
    Path("book.txt").write_text("What is written once is read often. " * 200)
    for name in ("net", "old", "new"):
        Path(f"{name}.nnspec").write_text(NETWORK)
    write_example("passengers", Path("specs"))
    for name in SHIPPED:
        data = "mnist_sample" if name.startswith("mnist") else None
        nnspec.train(f"specs/{name}.nnspec", f"runs/{name}", SHORT, data=data)
    for name in ("iris", "a", "b", "paper_sgd", "paper_adam"):
        nnspec.train("net.nnspec", f"runs/{name}", seed=len(name))
    images = 'input 28x28x1\ndense softmax\ndata images "flowers"\ntrain 1 epochs'
    nnspec.train(images, "runs/flowers", {"data.size": "28x28", "data.mode": "grey"})
    text = "embed 8 -> rnn 8 return=sequence -> dense softmax\ntrain 1 epochs"
    nnspec.train(text, "runs/book", data='text "book.txt"')
    nnspec.sweep("net.nnspec", "sweeps/notes", settings={"train.epochs": 1}, jobs=1)
    shutil.copy("runs/a/best.h5", "found.h5")


@pytest.mark.long
def test_every_example_does_what_it_is_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNSPEC_OFFLINE", "1")
    with chdir(tmp_path):
        prepare()
    failed = []
    for text in dict.fromkeys(EXAMPLES):
        missing = [
            package for part, package in NEEDED.items() if part in text and not importlib.util.find_spec(package)
        ]
        if missing or any(part in text for part in ELSEWHERE):
            continue
        listed = re.sub(r"\S+/\*\S*", lambda found: " ".join(_matching(found[0], tmp_path)), text)
        code, printed = run(listed, tmp_path)
        expected = 1 if text.startswith(("nnspec diff", "nnspec fmt --check")) else 0
        failed += [f"$ {text}\n{printed}"] if code not in (0, expected) else []
    assert "\n\n".join(failed) == ""


def _matching(pattern: str, folder: Path) -> list[str]:
    """The paths of a pattern, as a shell lists them: of specs a few."""
    return [str(path.relative_to(folder)) for path in sorted(folder.glob(pattern))][:4]


def test_what_is_not_run_here_is_of_some_example() -> None:
    for part in ELSEWHERE:
        assert any(part in text for text in EXAMPLES) or part == "nnspec studio", part
