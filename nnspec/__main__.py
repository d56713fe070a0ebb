"""The entry point of `python -m nnspec` and of the command `nnspec`."""

import sys


def main() -> None:
    """Run the command line and exit with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # an arrow becomes a question mark if the encoding has no arrow
    try:
        from nnspec.cli import command_line

        command_line(prog_name="nnspec")
    except KeyboardInterrupt:  # before the command line handles it
        sys.exit(130)


if __name__ == "__main__":
    main()
