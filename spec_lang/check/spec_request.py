"""What a caller asks to be made of a spec: a path or a text, and settings from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.check.overrides import overrides_from
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.files import open_source


@dataclass(frozen=True)
class Request:
    """A spec and what is set from outside: settings by key, one of its variants, other data, another seed.

    Paths in a spec begin at the spec's folder; those in `data`, which the caller wrote, begin at the current one.
    """

    spec: str | Path | Source
    settings: Mapping[str, object] = field(default_factory=dict)
    variant: str | None = None
    data: str | None = None
    seed: int | None = None

    def check(self, input_shape: Sequence[int] | None = None, classes: int | None = None) -> Spec:
        """The checked spec. `input_shape` and `classes` are what the data have turned out to be, where that is known.

        Raises SpecError with everything that is wrong, SourceError where there is no such file.
        """
        source = self.spec if isinstance(self.spec, Source) else open_source(self.spec)
        overrides = overrides_from(self.settings, self.data, self.seed)
        spec = check_source(source, overrides, self.variant, input_shape, classes)
        if spec.data is None or (self.data is None and "data" not in self.settings):
            return spec
        return replace(spec, data=spec.data.moved(Path.cwd(), spec.folder))
