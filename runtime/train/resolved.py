"""The text of resolved.nnspec, from which a run's folder trains the same run again, wherever the command is called."""

import os
import shlex
from dataclasses import replace
from pathlib import Path

from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.report.escapes import escaped


def resolved_text(spec: Spec, folder: Path) -> str:
    """Return the spec with every default filled in, and a comment that says what it was made from.

    Paths of data, and of the checkpoint to begin with, are relative to `folder`, the run's, where the spec has relative
    ones: the text works from anywhere, also after the folders of the run and of the data have moved together.
    """
    data = spec.data.moved(spec.folder, folder) if spec.data is not None else None
    begins = spec.begins.moved(spec.folder, folder) if spec.begins is not None else None
    return f"# {escaped(_origin(spec))}\n{canonical_text(replace(spec, data=data, begins=begins))}"


def _origin(spec: Spec) -> str:
    """Return a line on the spec, its variant and the settings from outside that are in force."""
    named = os.path.basename(spec.source.name) if spec.source.folder is not None else "the text of a network"
    variant = f", variant {spec.variant}" if spec.variant is not None else ""
    settings = " ".join(f"--set {shlex.quote(f'{key}={value}')}" for key, value in spec.overrides)
    return f"{named}{variant}{f', with {settings}' if settings else ''}"
