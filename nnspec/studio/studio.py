"""The studio: a folder, its runs, the training, and what every tab is told of them."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnspec.cli.specs import about_spec, shipped_specs
from nnspec.serving.limits import Refusal
from nnspec.studio.folder import Folder, Written
from nnspec.studio.hub import Hub
from nnspec.studio.questions import Questions
from nnspec.studio.runs import Runs
from nnspec.studio.training import Training


@dataclass
class Studio:
    """Arguments:
    root: the folder, as it is called in a terminal.
    opens: the spec that a new tab shows, None for none.
    """

    root: Path
    opens: str | None = None

    def __post_init__(self) -> None:
        self.folder = Folder(self.root.resolve())
        self.hub = Hub()
        self.runs = Runs(self.folder)
        self.training = Training(self.folder.root, self.hub, self.tell_changes)
        self.questions = Questions(self.runs)
        self.started = secrets.token_hex(8)  # a tab of an earlier studio knows by it that this is another
        self._told: dict[str, Any] | None = None

    def state(self) -> dict[str, Any]:
        """Return all that tabs agree on."""
        return {
            "started": self.started, "folder": self.folder.root.name, "opens": self.opens,
            "training": self.training.status(), **self._seen(),
        }  # fmt: skip

    def tell_changes(self) -> None:
        """Tell every tab the files and runs, if they are not those that were told last."""
        seen = self._seen()
        if seen != self._told:
            self._told = seen
            self.hub.tell("folder", **seen)

    def folder_of(self, name: str) -> Path:
        """Return the folder in which relative paths of a spec start. Raises Refusal where it is outside."""
        return self.folder.spec(name).parent

    def write(self, name: str, text: str, revision: str | None) -> Written:
        """Replace or make a spec and tell every tab. Raises Conflict, Refusal."""
        written = self.folder.write(name, text, revision)
        self.hub.tell("file", name=name, revision=written.revision)
        if revision is None:
            self.tell_changes()
        return written

    def train(self, file: str, revision: str, variant: str | None, settings: dict[str, str]) -> None:
        """Begin to train a spec that is still that revision. Raises Refusal."""
        if self.folder.read(file).revision != revision:
            raise Refusal(409, f"{file} has changed since it was read: look at it again before it trains")
        label = f"{file}, {variant}" if variant else file
        request = {"do": "train", "file": file, "variant": variant, "settings": settings, "seed": None}
        self.training.start(request, label)

    def resume(self, run: str) -> None:
        """Begin to resume a run. Raises Refusal."""
        self.runs.path(run)
        self.training.start({"do": "resume", "run": run}, run)

    def weights(self, run: str) -> dict[str, Any] | None:
        """Return the first weights of a run, of the one that trains as they are now."""
        status = self.training.status(losses=False)
        if self.training.running and self.training.weights and status and status["run"] == run:
            return self.training.weights
        return self.questions.weights(run)

    def shipped(self) -> list[dict[str, str]]:
        """Return the specs that come with nnspec: name, what it shows, text."""
        found = shipped_specs()
        return [
            {"name": name, "about": about_spec(path), "text": path.read_text("utf-8")} for name, path in found.items()
        ]

    def _seen(self) -> dict[str, Any]:
        files = []
        for name in self.folder.specs():
            try:
                files.append({"name": name, "revision": self.folder.read(name).revision})
            except Refusal:  # it cannot be read, or leads outside
                continue
        return {"files": files, "runs": self.runs.listed()}
