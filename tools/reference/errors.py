"""The page of all errors."""

import re
from textwrap import fill

from nnspec.spec_lang.check.code_examples import example_error
from nnspec.spec_lang.report.codes import TABLE
from nnspec.spec_lang.report.render import render


def errors() -> str:
    """Return the page of all errors, made from the table of codes."""
    parts = [
        "# Errors",
        "Every error has a code, which never changes its meaning; those of warnings begin with W.\n"
        "`nnspec explain E301` prints one of these entries.",
    ]
    for code, entry in TABLE.items():
        shown = re.sub(r"this machine has [\d.]+ \wB", "this machine has 16.0 GB", render(example_error(code)))
        parts += [
            f"## {code}: {entry.title}",
            fill(entry.explanation, 120),
            f"```text\n{entry.bad.rstrip()}\n```",
            f"```text\n{shown}\n```",
            f"Fixed:\n\n```nnspec\n{entry.fixed.rstrip()}\n```",
        ]
    return "\n\n".join(parts) + "\n"
