"""Verbs: each is a module of a package that defines `command`. A new verb is a new file; no list names it.

The modules next to this one hold what verbs share. A module of a family whose name begins with an underscore is not a
verb; where a verb is a keyword of Python, its module's name ends in one. A verb's module imports only click and these
at the top, so that help is fast; it imports the rest when it runs.
"""

import pkgutil
from collections.abc import Iterable, Sequence
from enum import Enum
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from nnspec.cli.completion import complete_paths
from nnspec.cli.output import escape_usage_errors, report_errors, report_lost_output


class Section(Enum):
    """The sections of `nnspec --help`, in this order."""

    SPECS = "Specs"
    TRAINING = "Training"
    ANSWERS = "Answers"
    PICTURES = "Pictures"
    CHECKPOINTS = "Checkpoints"
    EXCHANGE = "Other programs"


class _WithExamples(click.Command):
    def __init__(self, *args: Any, section: Section | None = None, examples: Sequence[str] = (), **settings: Any):
        super().__init__(*args, **settings)
        self.section = section
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, one a line, then the epilog."""
        if self.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {example}\n" for example in self.examples))
        super().format_epilog(ctx, formatter)


class Verb(_WithExamples):
    """A command with its section of the help and examples of its use.

    `keeps_results` declares that its results are in files: it has succeeded even where its output could not be written.
    """

    def __init__(self, *args: Any, keeps_results: bool = False, **settings: Any):
        super().__init__(*args, **settings)
        complete_paths(self.params)
        self.keeps_results = keeps_results


class Family(_WithExamples, click.Group):
    """The verbs of a package, each found by its name and imported on first use."""

    def __init__(self, *args: Any, package: str, **settings: Any):
        super().__init__(*args, **settings)
        self.package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the package's modules that do not begin with an underscore, without one at the end."""
        folder = import_module(self.package).__path__
        names = (module.name for module in pkgutil.iter_modules(folder))
        return sorted(name.removesuffix("_") for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return the command of a module, None if there is no such module."""
        if name not in self.list_commands(ctx):
            return None
        module = f"{name}_" if iskeyword(name) else name
        command: click.Command = import_module(f"{self.package}.{module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb that the arguments begin with, or fail with a usage error that names the nearest one."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-") and not ctx.resilient_parsing:
            from nnspec.spec_lang.report.diagnostics import near

            names = self.list_commands(ctx)
            close = near(name, names)
            hint = f"did you mean {close}?" if close else f"there is {', '.join(names)}"
            ctx.fail(f"there is no {ctx.info_name} {name}; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs by section."""
        verbs = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        for section in (*Section, None):
            found = [(name, verb) for name, verb in verbs if verb and getattr(verb, "section", None) is section]
            _write_section(formatter, section.value if section else "Commands", found)


class CommandLine(Family):
    """The outermost family: it turns an error of the user into a message and an exit code."""

    def make_context(self, *args: Any, **settings: Any) -> click.Context:
        """Parse the arguments up to the verb."""
        with escape_usage_errors():
            return super().make_context(*args, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb."""
        try:
            with report_errors(), escape_usage_errors():
                result = super().invoke(ctx)
        except click.exceptions.Exit as ended:
            if ended.exit_code:
                raise
            result = None
        verb = self.get_command(ctx, ctx.invoked_subcommand) if ctx.invoked_subcommand else None
        report_lost_output(getattr(verb, "keeps_results", False))
        return result


def _write_section(formatter: click.HelpFormatter, title: str, verbs: Iterable[tuple[str, click.Command]]) -> None:
    rows = [(name, verb.get_short_help_str(formatter.width)) for name, verb in verbs]
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)
