"""The report of a run: its sections in order, as a page and as Markdown."""

from collections.abc import Callable, Iterator, Sequence

from nnspec.cli.markdown import markdown_table, markdown_text
from nnspec.reporting.blocks import Block, Code, Page, Paragraph, Section, Table
from nnspec.reporting.folds import ReportedFolds, folds_tables, folds_title, headline
from nnspec.reporting.run import ReportedRun
from nnspec.reporting.sections import mistakes, origin, pictures, result
from nnspec.reporting.sweep import ReportedSweep, sweep_page, sweep_tables

SECTIONS: tuple[Callable[[ReportedRun], Section | None], ...] = (
    result.result,
    origin.spec,
    pictures.graph,
    pictures.curves,
    pictures.predictions,
    pictures.confusion,
    pictures.calibration,
    mistakes.mistakes,
    pictures.weights,
    pictures.features,
    pictures.occlusion,
    origin.environment,
    origin.repeat,
)
"""The sections of a report in order."""


def run_page(run: ReportedRun) -> Page:
    """Return the page of a run."""
    sections = [section for make in SECTIONS if (section := make(run)) is not None and section.blocks]
    title = run.spec.title if run.folder.path.name == run.spec.title else f"{run.spec.title}: {run.folder.path.name}"
    return Page(title, f"{result.headline(run)}; {result.how_far(run)}", sections)


def run_markdown(run: ReportedRun) -> str:
    """Return the report for a pull request: result, curves as numbers, environment, data and commands; no pictures."""
    made = [make(run) for make in (result.result, origin.spec, origin.environment, origin.repeat)]
    return _markdown(f"{run.spec.title}: {result.headline(run)}", [section for section in made if section is not None])


def folds_markdown(folds: ReportedFolds) -> str:
    """Return the report of a cross-validation for a pull request: the means, and the folds folded."""
    return _markdown(f"{folds_title(folds)}: {headline(folds)}", folds_tables(folds))


def sweep_markdown(sweep: ReportedSweep) -> str:
    """Return the report of a sweep for a pull request: the ranking, and the trials folded."""
    page = sweep_page(sweep)
    return _markdown(f"{page.title}: {page.subtitle}", [section for section in sweep_tables(sweep) if section.blocks])


def _markdown(title: str, sections: Sequence[Section]) -> str:
    """Return a heading and the sections, all but the first folded."""
    lines = [f"## {markdown_text(title)}", ""]
    for number, section in enumerate(sections):
        body = "\n\n".join(_in_markdown(section.blocks))
        if number == 0:
            lines += [body, ""]
        else:
            lines += [f"<details><summary>{section.title}</summary>", "", body, "", "</details>", ""]
    return "\n".join(lines).rstrip()


def _in_markdown(blocks: Sequence[Block]) -> Iterator[str]:
    """Yield the texts, tables and code among the blocks as Markdown."""
    for block in blocks:
        if isinstance(block, Paragraph):
            yield f"> {markdown_text(block.text)}" if block.warning else markdown_text(block.text)
        elif isinstance(block, Table):
            yield f"**{markdown_text(block.caption)}**\n\n{markdown_table(block.heading, block.rows, block.right)}"
        elif isinstance(block, Code) and not block.folded:
            yield f"**{markdown_text(block.title)}**\n\n{_fenced(''.join(text for text, _ in block.parts))}"


def _fenced(code: str) -> str:
    """Return code in a fence longer than any row of backticks in it."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}\n{code.rstrip()}\n{fence}"
