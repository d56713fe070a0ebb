"""nnspec report: a run or a sweep as one HTML page, or as Markdown."""

from pathlib import Path

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.options import data_options, json_flag
from nnspec.cli.output import print_json, print_result, translate_write_errors


@click.command(
    cls=Verb,
    section=Section.PICTURES,
    examples=(
        "nnspec report runs/quickstart",
        "nnspec report runs/quickstart/best.h5 --out best.html --split validation",
        "nnspec report runs/quickstart --markdown > result.md",
        "nnspec report sweeps/notes",
    ),
)
@click.argument("run_or_sweep", metavar="RUN_OR_SWEEP")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The file to write.  [default: report.html in the folder of the run or sweep]",
)
@click.option("--markdown", is_flag=True, help="Print the report as Markdown, for a pull request, and write no page.")
@data_options
@json_flag
def command(
    run_or_sweep: str, out: Path | None, markdown: bool, data: str | None, split: str | None, as_json: bool
) -> None:
    """Write a report that can be mailed: one HTML file that loads nothing.

    Of a run it has the result beside the baseline, the spec, the network with its shapes, curves, confusion, the worst
    mistakes, the first weights before and after training, feature maps, occlusion, environment and data digests, and
    the command that repeats it; whatever fits the network and its data. Of the folder of a cross-validation it has the
    metrics over the folds, and each fold; of a sweep it compares the trials.

    It needs Jinja2: pip install 'nnspec[report]'. --markdown does not.
    """
    from nnspec import api

    if as_json and markdown:
        raise click.UsageError("--json and --markdown exclude each other: give one of them")
    if markdown:
        text = api.report_markdown(run_or_sweep, data, split)
        if out is None:
            print_result(text)
        else:
            with translate_write_errors(out):
                out.parent.mkdir(parents=True, exist_ok=True)
                out.write_text(f"{text}\n", encoding="utf-8")
            print_result(str(out))
        return
    with translate_write_errors(out or run_or_sweep):
        written = api.report(run_or_sweep, out, data, split)
    if as_json:
        print_json(report=str(written), bytes=written.stat().st_size)
    else:
        print_result(str(written))
