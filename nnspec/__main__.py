"""`python -m nnspec`, and what the command `nnspec` calls."""

import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # an arrow becomes a question mark where there is none
    try:
        from nnspec.cli import command_line

        command_line(prog_name="nnspec")
    except KeyboardInterrupt:  # before the command line could take it
        sys.exit(130)


if __name__ == "__main__":
    main()
