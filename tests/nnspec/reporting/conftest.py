"""Reports of small runs of every kind, and a page as a test reads it."""

import html.parser
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec

HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}\x1b\u202e"
"""A name that ends an attribute, an element and a template's patience."""


@dataclass
class Parsed(html.parser.HTMLParser):
    """A page: every start tag with its attributes, and the text outside of scripts and styles."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""
    _inside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def sections(self) -> list[str | None]:
        """The ids of the sections in order."""
        return [attributes.get("id") for attributes in self.named("section")]


def parsed(path: Path) -> Parsed:
    page = Parsed()
    page.feed(path.read_text(encoding="utf-8"))
    return page


@pytest.fixture(scope="session")
def reports(
    tmp_path_factory: pytest.TempPathFactory, digits: Path, flowers: Path, prices: Path
) -> Callable[[str], Path]:
    """Return the report of a run by its name, made once."""
    folder = tmp_path_factory.mktemp("reports")
    made: dict[str, Path] = {}
    known = {"digits": digits, "flowers": flowers, "prices": prices}

    def report(name: str) -> Path:
        if name not in made:
            run = known[name] if name in known else MAKERS[name](folder / name)
            made[name] = nnspec.report(run, folder / f"{name}.html")
        return made[name]

    return report


def _hostile(folder: Path) -> Path:
    """A run whose spec, columns, classes and data have hostile names."""
    folder.mkdir()
    names = [HOSTILE, "</td><img src=x onerror=alert(1)>", "c"]
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    random = np.random.default_rng(0)
    rows = [",".join(('"<b>"', '"javascript:alert(1)"', "kind"))]
    rows += [f"{random.normal(i % 3, 3):.3f},{random.normal():.3f},{quoted[i % 3]}" for i in range(60)]
    (folder / "<img src=x onerror=alert(1)>.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    spec = folder / "<svg onload=alert(1)>.nnspec"
    text = 'dense 3 softmax\ndata csv "<img src=x onerror=alert(1)>.csv" target=kind\ntrain 4 epochs batch=8\n'
    spec.write_text(f"# </code></pre><script>alert(2)</script>\n{text}", encoding="utf-8")
    run = nnspec.train(spec, folder / "</title><script>alert(3)<|script>")
    assert run.path is not None
    return run.path


def _diverged(folder: Path) -> Path:
    with pytest.raises(nnspec.TrainingError):
        nnspec.train(
            "dense 9 relu -> dense 9 relu -> dense 10 softmax",
            folder,
            {"optimizer": "sgd lr=1e30"},
            data="mnist_sample",
        )
    return folder


def _one(folder: Path) -> Path:
    nnspec.train("maxpool 4 -> dense 10 softmax", folder, {"train.epochs": 1}, data="mnist_sample")
    return folder


def _series(folder: Path) -> Path:
    nnspec.train("rnn 4 -> dense 1\ndata sine window=10\ntrain 1 epochs batch=64", folder)
    return folder


def _text(folder: Path) -> Path:
    nnspec.train(
        "embed 4 -> rnn 8 return=sequence -> dense 27 softmax\ndata dinos\ntrain 20 iterations batch=16", folder
    )
    return folder


def _folds(folder: Path) -> Path:
    nnspec.cross_validate(
        "maxpool 4 -> dense 10 softmax\nexpect accuracy > 1 %",
        3, folder, {"train.epochs": 2, "optimizer.lr": 0.03}, data="mnist_sample",
    )  # fmt: skip
    return folder


MAKERS: dict[str, Callable[[Path], Path]] = {
    "hostile": _hostile, "diverged": _diverged, "one": _one, "series": _series, "text": _text, "folds": _folds,
}  # fmt: skip


RARE = ("diverged", "one", "series", "text")
"""Runs whose reports are left to make test."""


def rarely(names: Iterable[str]) -> list[Any]:
    """The names as parameters, the rare ones marked long."""
    return [pytest.param(name, marks=pytest.mark.long if name in RARE else ()) for name in names]


def write_sweep(folder: Path, runs: dict[str, Path]) -> Path:
    """A folder as nnspec sweep leaves it, of runs that are copied into it by their names."""
    trials: list[dict[str, Any]] = []
    for seed, (name, run) in enumerate(runs.items()):
        trial = folder / "trials" / name.replace("/", "_")
        trial.mkdir(parents=True)
        (trial / "metrics.jsonl").write_bytes((run / "metrics.jsonl").read_bytes())
        end = json.loads((trial / "metrics.jsonl").read_text().splitlines()[-1])
        metrics = {key: value for key, value in end.items() if key.startswith(("test_", "validation_"))}
        trials.append(
            {
                "name": name, "variant": None, "settings": {"optimizer.lr": f"0.{seed + 1}"}, "seed": seed,
                "state": "done" if metrics else "diverged", "metrics": metrics,
                "out": f"trials/{trial.name}", "error": None if metrics else "training diverged <b>",
            }
        )  # fmt: skip
    done = [trial for trial in trials if trial["metrics"]]
    ranking = [
        {"name": t["name"], "mean": t["metrics"]["validation_loss"], "deviation": None, "seeds": [t["seed"]]}
        for t in sorted(done, key=lambda trial: trial["metrics"]["validation_loss"])
    ]
    document = {"format_version": 1, "asked": {"metric": "validation_loss"}, "trials": trials, "ranking": ranking}
    (folder / "sweep.json").write_text(json.dumps(document))
    (folder / "spec.nnspec").write_text("dense 3 softmax\nsweep optimizer.lr = 0.1, 0.2\n")
    return folder
