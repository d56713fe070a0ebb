"""A caller's request: a spec as a path or text, and settings from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.report.errors import SourceError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.files import open_source

if TYPE_CHECKING:
    from nnspec.spec_lang.check.overrides import Override


@dataclass(frozen=True)
class Request:
    """A spec and settings from outside: options by key, a variant, a data statement, a seed.

    Paths in a spec are relative to the spec's folder; those in `data` are relative to the current folder. `in_memory`
    says that a program gives the samples: the spec's data are then `data arrays`, with the options of its data
    statement.
    """

    spec: str | Path | Source
    settings: Mapping[str, object] = field(default_factory=dict)
    variant: str | None = None
    data: str | None = None
    seed: int | None = None
    in_memory: bool = False

    def check(
        self, input_shape: Sequence[int] | None = None, classes: int | None = None, outputs: int | None = None
    ) -> Spec:
        """Check and return the spec. `input_shape`, `classes` and `outputs` are what the samples and targets need.

        Raises SpecError with all errors of the spec, SourceError if its file cannot be read.
        """
        try:
            Path.cwd()
        except OSError:
            raise SourceError("the current folder does not exist any more: change to one that does") from None
        source = self.spec if isinstance(self.spec, Source) else open_source(self.spec)
        overrides = self._overrides()
        spec = check_source(source, overrides, self.variant, input_shape, classes, self.in_memory, outputs)
        spec = replace(spec, overrides=tuple((override.key, override.value) for override in overrides))
        if spec.data is None or (self.data is None and "data" not in self.settings):
            return spec
        return replace(spec, data=spec.data.moved(Path.cwd(), spec.folder))

    def _overrides(self) -> "Sequence[Override]":
        """Return the settings from outside."""
        if not self.settings and self.data is None and self.seed is None:
            return []
        from nnspec.spec_lang.check.overrides import overrides_from

        return overrides_from(self.settings, self.data, self.seed)
