"""What is asked of a network: belief and occlusion of a drawing, samples, feature maps, a trace, weights."""

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.cli.traced import truth_of
from nnspec.predictions import predictions_of
from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Split
from nnspec.runtime.explain.layer_values import layer_values
from nnspec.runtime.explain.trace import trace
from nnspec.runtime.infer.evaluation import class_probabilities
from nnspec.runtime.infer.network_file import program_version
from nnspec.runtime.train.checkpointing import load_checkpoint
from nnspec.runtime.train.run_folder import resolve_checkpoint
from nnspec.runtime.train.spec_and_data import network_data, split_of
from nnspec.serving.bodies import pictures
from nnspec.serving.limits import Refusal
from nnspec.serving.occlusion import Question, explained
from nnspec.serving.served import Served
from nnspec.spec_lang.check.difference import spec_differences
from nnspec.studio.arrays import numbers, weight_tiles
from nnspec.studio.runs import Runs

MOST_NETWORKS = 3
"""The most networks that are kept, with their data."""

MOST_SAMPLES, MOST_JUDGED, BATCH, MOST_LETTERS = 60, 20_000, 512, 40
"""The most samples of an answer; of a split whose mistakes are known; of a call of the network; letters of a sample."""


@dataclass
class Asked:
    """A run's network as its last checkpoint has it, and its data once something needs them."""

    served: Served
    file: Path
    _splits: dict[str, Split] = field(default_factory=dict)
    _right: dict[str, Array] = field(default_factory=dict)

    def split(self, name: str | None) -> tuple[str, Split]:
        """Return a split and its name. Raises DataError where the data are not here, or have no such split."""
        name, found = split_of(self._data, name)
        return name, self._splits.setdefault(name, found)

    @property
    def splits(self) -> list[str]:
        """The names of the splits."""
        return list(dict(self._data.splits()))

    @cached_property
    def _data(self) -> Any:
        return network_data(self.served.network)

    def wrong(self, name: str) -> Array:
        """Return the places of the samples of a split that are classified wrongly, of its first 20,000."""
        if name not in self._right:
            split, network = self._splits[name], self.served.network
            count = min(len(split), MOST_JUDGED)
            found = [
                class_probabilities(network.predict(np.asarray(split.inputs[at : min(at + BATCH, count)]))).argmax(-1)
                for at in range(0, count, BATCH)
            ]
            targets = np.asarray(split.targets[:count]).reshape(count, -1)[:, 0]
            self._right[name] = np.flatnonzero(np.concatenate(found) != targets)
        return self._right[name]


class Questions:
    """Answers questions on the runs of a folder. It is called from one thread."""

    def __init__(self, runs: Runs):
        self.runs = runs
        self._kept: OrderedDict[Path, tuple[tuple[int, int], Asked]] = OrderedDict()

    def about(self, run: str) -> dict[str, Any]:
        """Return what the page has to know of a run's network: what can be asked of it."""
        served = self._asked(run).served
        return {
            "network": served.name, "shape": list(served.shape), "classes": served.classes, "draws": served.pictures,
            "explains": served.explains, "limits": list(served.network.preprocessing.limits),
            "features": list(served.network.preprocessing.features or ()),
        }  # fmt: skip

    def belief(self, run: str, picture: bytes, window: int) -> dict[str, Any]:
        """Return what a network makes of a picture, and if it classifies images, which parts it needs for that."""
        served = self._asked(run).served
        sample = self._picture(served, picture)
        answers = served.network.predict(sample)
        found: dict[str, Any] = {"outputs": predictions_of(served.network, answers)[0]}
        if _judges(served):
            found["probabilities"] = _finite(class_probabilities(answers)[0])
        if served.explains and window:
            question = Question(min(window, *served.shape[:2]), max(1, max(served.shape[:2]) // 32))
            maps = explained(served, sample, question)
            lowest = float(maps.maps["probability"].min())
            found["occlusion"] = {**maps.as_json(served, question), "lowest": lowest}
        return found

    def samples(self, run: str, split: str | None, start: int, count: int, mistakes: bool) -> dict[str, Any]:
        """Return samples of a split with their targets and what the network says of them."""
        asked = self._asked(run)
        name, chosen = asked.split(split)
        network, classes = asked.served.network, asked.served.classes
        if mistakes and not _judges(asked.served):
            raise Refusal(422, "only a network that tells classes apart makes mistakes that can be listed")
        places = asked.wrong(name) if mistakes else np.arange(len(chosen))
        wanted = places[start : start + min(count, MOST_SAMPLES)]
        raw = np.asarray(chosen.inputs[wanted]) if len(wanted) else np.zeros((0, *asked.served.shape))
        said = predictions_of(network, network.predict(raw)) if len(wanted) else []
        return {
            "split": name, "total": len(places), "start": start, "splits": asked.splits,
            "samples": [
                {
                    "index": int(place), "values": numbers(sample), "target": truth_of(chosen.targets[place], classes),
                    "predicted": prediction.get("label", prediction.get("value")), "text": self._text(asked, sample),
                }
                for place, sample, prediction in zip(wanted.tolist(), raw, said, strict=True)
            ],
        }  # fmt: skip

    def features(self, run: str, split: str | None, index: int, picture: bytes | None) -> dict[str, Any]:
        """Return what each layer makes of a sample, or of a picture."""
        asked = self._asked(run)
        sample, target = self._sample(asked, split, index, picture)
        layers = layer_values(asked.served.network, sample[None])
        truth = None if target is None else truth_of(target, asked.served.classes)
        shown = [{"name": layer.name, "text": layer.text, "values": numbers(layer.values)} for layer in layers]
        return {"target": truth, "classes": asked.served.classes, "layers": shown}

    def trace(
        self, run: str, split: str | None, index: int, picture: bytes | None, label: str | None
    ) -> dict[str, Any]:
        """Return a forward and, where there is a target, a backward pass of a sample or of a picture."""
        asked = self._asked(run)
        sample, target = self._sample(asked, split, index, picture)
        classes = asked.served.classes
        if label is not None:
            if classes is None or label not in classes:
                raise Refusal(422, f"no class is called {label!r}")
            target = np.asarray(classes.index(label))
        found = trace(asked.served.network, sample, target)
        return {
            "target": None if target is None else truth_of(target, classes), "loss": found.loss, "classes": classes,
            "stages": [
                {
                    "name": stage.name, "text": stage.text, "inputs": list(stage.inputs),
                    "output": numbers(stage.output), "gradient": numbers(stage.gradient),
                    "parameters": [
                        {"name": name, "value": numbers(value), "gradient": numbers(gradient)}
                        for name, (value, gradient) in stage.parameters.items()
                    ],
                }
                for stage in found.stages
            ],
        }  # fmt: skip

    def weights(self, run: str) -> dict[str, Any] | None:
        """Return the weights of the first layer as images, see `weight_tiles`."""
        return weight_tiles(self._asked(run).served.network)

    def differences(self, first: str, second: str) -> list[dict[str, Any]]:
        """Return what differs between the specs of two runs."""
        before, after = (self._asked(run).served.network.spec for run in (first, second))
        return [difference.as_json() for difference in spec_differences(before, after)]

    def _asked(self, run: str) -> Asked:
        file = resolve_checkpoint(self.runs.path(run))
        stat = file.stat()
        mark = (stat.st_mtime_ns, stat.st_size)
        known = self._kept.get(file)
        if known is None or known[0] != mark:
            asked = Asked(Served(load_checkpoint(file).network, "", program_version()), file)
            if known is not None and "_data" in vars(known[1]):  # a run goes on with the same data
                vars(asked)["_data"] = vars(known[1])["_data"]
            self._kept[file] = (mark, asked)
        self._kept.move_to_end(file)
        while len(self._kept) > MOST_NETWORKS:
            self._kept.popitem(last=False)
        return self._kept[file][1]

    def _sample(self, asked: Asked, split: str | None, index: int, picture: bytes | None) -> tuple[Array, Any]:
        """Return a raw sample and its target, None for that of a picture."""
        if picture is not None:
            return self._picture(asked.served, picture)[0], None
        name, chosen = asked.split(split)
        if not 0 <= index < len(chosen):
            raise Refusal(422, f"sample {index} is not among the {len(chosen):,} of the {name} split, from 0")
        return np.asarray(chosen.inputs[index : index + 1])[0], chosen.targets[index]

    def _picture(self, served: Served, picture: bytes) -> Array:
        if not served.pictures:
            raise Refusal(422, f"{served.name} does not take pictures")
        return pictures(served, [picture])[0]

    def _text(self, asked: Asked, sample: Array) -> str | None:
        """Return a sample of symbols as text, without its padding; None of other samples."""
        letters = asked.served.network.preprocessing.vocabulary
        if letters is None or asked.served.symbols is None:
            return None
        return "".join(letters[int(place)] for place in np.asarray(sample).reshape(-1) if place >= 0)[:MOST_LETTERS]


def _judges(served: Served) -> bool:
    """Return whether a network tells classes apart, one for a sample."""
    return served.classes is not None and len(served.network.spec.output_shape or ()) == 1


def _finite(values: Array) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
