"""The shapes from the sample to a layer, as errors show them."""

import re
from collections.abc import Mapping
from typing import NamedTuple, Optional

from nnspec.spec_lang.source import Span
from nnspec.spec_lang.syntax.tree import Value

MOST_STEPS = 12
LONGEST_STEP = 60  # characters


class ShapeStep(NamedTuple):
    """A shape, the layer that made it (None for the sample), and the step before."""

    shape: str
    span: Span | None = None
    before: Optional["ShapeStep"] = None
    variables: Mapping[str, Value | None] = {}

    def as_text(self) -> str:
        """Return `28x28x1 · conv 3x3 x8 · 26x26x8`, for many steps the first and the last ones."""
        steps: list[str] = []
        step: ShapeStep | None = self
        count = 0
        while step is not None:
            if count < MOST_STEPS or step.span is None:
                steps.append(step._shown())  # noqa: SLF001
            count += 1
            step = step.before
        if count > MOST_STEPS + 1:
            steps[-1:] = [f"… {count - MOST_STEPS - 1} more layers …", steps[-1]]
        return " · ".join(reversed(steps))

    def _shown(self) -> str:
        if self.span is None:
            return self.shape
        text = " ".join(re.sub(r"#[^\n]*", "", self.span.text).split())
        text = re.sub(r"\$(\w+)", self._value, text)
        shown = text if len(text) <= LONGEST_STEP else f"{text[: LONGEST_STEP - 1]}…"
        return f"{shown} · {self.shape}"

    def _value(self, match: re.Match[str]) -> str:
        value = self.variables.get(match[1])
        return value.written() if value is not None else match[0]
