"""Writes the entries of docs/reliability.md; used by tools.soak and tools.mutants."""

import platform
import time
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from nnspec.runtime.train.environment import environment

REPORT = Path(__file__).resolve().parents[1] / "docs" / "reliability.md"


def write_entry(
    name: str, claim: str, held: int, tried: int, command: str, notes: Sequence[str], seconds: float
) -> None:
    """Replace or add the entry `name` of the report. Entries are sorted by name."""
    here = environment()
    machine = f"Python {here['python']}, NumPy {here['numpy']}, {here['blas']} {here['blas_version']}"
    lines = [
        name,
        "",
        fill(f"**{held:,} of {tried:,}**: {claim}.", 120),
        "",
        f"`{command}`",
        "",
        *(fill(f"- {note}", 120, subsequent_indent="  ") for note in notes),
        *([""] if notes else []),
        f"{time.strftime('%Y-%m-%d')}, {seconds:,.0f} s, {platform.system()} {platform.machine()}, {machine}",
    ]
    head, *entries = REPORT.read_text(encoding="utf-8").split("\n### ")
    found = {entry.split("\n", 1)[0]: entry for entry in entries} | {name: "\n".join(lines)}
    parts = [head.rstrip() + "\n", *(found[entry].rstrip() + "\n" for entry in sorted(found))]
    REPORT.write_text("\n### ".join(parts), encoding="utf-8")
