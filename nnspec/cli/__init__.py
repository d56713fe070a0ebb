"""The command line: arguments, a call, an exit code. Each verb is a file in `verbs`; `command` finds them."""

import click

from nnspec.cli.command import CommandLine


def _show_version(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import PackageNotFoundError, version

        from nnspec.spec_lang import LANGUAGE_VERSION

        try:
            name = f"nnspec {version('nnspec')}"
        except PackageNotFoundError:  # run from its source, without being installed
            name = "nnspec, not installed"
        click.echo(f"{name}, language {LANGUAGE_VERSION}")
        ctx.exit()


_EPILOG = """\b
Exit codes: 0 done; 1 something was found, such as an error in a spec; 2 wrong use or a missing
file; 130 and 143 after SIGINT and SIGTERM, which save a training run first.
\b
Shell completion of verbs, options, files, variants and settings:
  eval "$(_NNSPEC_COMPLETE=bash_source nnspec)"      in ~/.bashrc
  eval "$(_NNSPEC_COMPLETE=zsh_source nnspec)"       in ~/.zshrc, after compinit
  _NNSPEC_COMPLETE=fish_source nnspec | source       in config.fish
"""

command_line = CommandLine(
    "nnspec",
    package="nnspec.cli.verbs",
    help="Neural networks as a page of text: check, train and resume them, predict with them, look inside them.",
    epilog=_EPILOG,
    examples=(
        "nnspec init quickstart",
        "nnspec train quickstart.nnspec",
        "nnspec train 'conv 3x3 x8 -> maxpool 2 -> dense 10 softmax' --data mnist_sample",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Show the versions of nnspec and of the language, and exit.",
        ),
    ],
)
"""The command `nnspec`."""
