"""nnspec verify: whether checkpoints are whole."""

from pathlib import Path

import click

from nnspec.cli._command import Section, Verb
from nnspec.cli._output import FOUND, WRONG_USE, print_note, print_result


@click.command(
    cls=Verb,
    section=Section.CHECKPOINTS,
    examples=("nnspec verify runs/quickstart/last.h5", "nnspec verify runs/*", "nnspec verify --untrusted found.h5"),
)
@click.argument("checkpoints", metavar="CHECKPOINT...", nargs=-1, required=True)
@click.option("--untrusted", is_flag=True, help="Read each in a process of its own, with limits on memory and time.")
def command(checkpoints: tuple[str, ...], untrusted: bool) -> None:
    """Prove that checkpoints are whole: every byte as it was written, and all that their spec asks for.

    A folder stands for all checkpoints in it. Ends with 1 where one is damaged, with 2 where one is not there. For a
    file that somebody sent you there is --untrusted.
    """
    from nnspec.cli._untrusted import verify_in_sandbox

    code, damaged, advice = 0, 0, []
    for path in _files(checkpoints):
        verdict, help, found = verify_in_sandbox(path) if untrusted else verify_checkpoint(path)
        print_result(f"{path}: {verdict}")
        code = max(code, found)
        damaged += found == FOUND
        advice += [f"{path}: {help}"] if help else []
    for line in advice:
        print_note(line)
    if damaged:
        print_note(f"{damaged} of them cannot be used")
    raise click.exceptions.Exit(code)


def _files(checkpoints: tuple[str, ...]) -> list[Path]:
    """The checkpoints named, and those in the folders named."""
    from nnspec.runtime.train.run_folder import checkpoints_in

    return [file for path in map(Path, checkpoints) for file in (checkpoints_in(path) if path.is_dir() else [path])]


def verify_checkpoint(path: Path) -> tuple[str, str, int]:
    """What is to be said of a file, what to do now, and the exit code that follows."""
    from nnspec import checkpoints
    from nnspec.runtime.errors import CheckpointError
    from nnspec.runtime.train.checkpointing import load_checkpoint

    try:
        summary = checkpoints.verify(path)
        load_checkpoint(path)
    except checkpoints.FormatError as error:
        kind = "damaged" if isinstance(error, checkpoints.Damaged) else "not usable"
        return f"{kind}: {error.reason.removeprefix(f'{kind}: ')}", error.help, FOUND
    except CheckpointError as error:
        return f"whole, but not usable: {str(error).removeprefix(f'{path}: ')}", "", FOUND
    except MemoryError:
        return "not usable: reading it asks for more memory than there is", "", FOUND
    except OSError as error:
        return f"cannot be read: {error.strerror or error}", "", WRONG_USE
    size = f"{summary.arrays} arrays of {summary.numbers:,} numbers, {summary.size:,} bytes"
    return f"OK, {size}, format {summary.format_version}, nnspec {summary.program}", "", 0
