"""Writing the report of a run, of folds or of a sweep: what `nnspec report` and the Python interface call."""

from collections.abc import Callable
from pathlib import Path

from nnspec.reporting.blocks import Page
from nnspec.reporting.folds import folds_page, open_folds
from nnspec.reporting.report import folds_markdown, run_markdown, run_page, sweep_markdown
from nnspec.reporting.run import open_reported
from nnspec.reporting.sweep import is_sweep, open_sweep, sweep_page
from nnspec.runtime.errors import DataError
from nnspec.runtime.train.checkpointing import replace_file
from nnspec.runtime.train.cross_validation import holds_folds
from nnspec.runtime.train.spec_and_data import Given
from nnspec.spec_lang.report.errors import NNSpecError

REPORT = "report.html"


class NotInstalledError(NNSpecError):
    """A package of an extra is not installed."""

    exit_code = 2


def write_report(path: Path, out: Path | None, given: Given | str | None = None, split: str | None = None) -> Path:
    """Write the report of a run, of the folds of a cross-validation or of a sweep, and return its path.

    Arguments:
        path: the folder of a run, of folds or of a sweep, or a checkpoint.
        out: the file; report.html in the folder where it is None.
        given: the data of a run on arrays, or a data statement instead of the spec's own.
        split: the split whose mistakes are shown.

    Raises NotInstalledError without Jinja2, CheckpointError, DataError, OSError.
    """
    render = page_renderer("pip install 'nnspec[report]', or nnspec report --markdown, which does not need it")
    if is_sweep(path):
        _no_data(given, split)
        page, folder = sweep_page(open_sweep(path)), path
    elif holds_folds(path):
        page, folder = folds_page(open_folds(path, given, split)), path
    else:
        run = open_reported(path, given, split)
        page, folder = run_page(run), run.folder.path
    target = out or folder / REPORT
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(target, render(page).encode())
    return target


def page_renderer(advice: str = "pip install 'nnspec[report]'") -> Callable[[Page], str]:
    """Return what makes the HTML of a page. Raises NotInstalledError with the advice where Jinja2 is missing."""
    try:
        from nnspec.reporting.page import render
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in ("jinja2", "markupsafe"):
            raise
        raise NotInstalledError(f"a page needs Jinja2, which is not installed\n  help: {advice}") from None
    return render


def markdown_report(path: Path, given: Given | str | None = None, split: str | None = None) -> str:
    """Return the report as Markdown. Raises CheckpointError, DataError."""
    if is_sweep(path):
        _no_data(given, split)
        return sweep_markdown(open_sweep(path))
    if holds_folds(path):
        return folds_markdown(open_folds(path, given, split))
    return run_markdown(open_reported(path, given, split))


def _no_data(given: Given | str | None, split: str | None) -> None:
    if given is not None or split is not None:
        raise DataError("the report of a sweep compares trials and reads no data: leave data and split out", 2)
