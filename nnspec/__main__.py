"""`python -m nnspec`, and what the command `nnspec` calls."""

import os
import signal
import sys
from types import FrameType


class Terminated(BaseException):
    """SIGTERM, as KeyboardInterrupt is SIGINT: nothing that handles errors catches it."""


def main() -> None:
    """Run the command line and end the process with its exit code.

    A signal that arrives before a verb handles it, during the imports too, ends in the same words as later.
    """
    from nnspec._streams import make_streams_last

    make_streams_last()
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)
    try:
        from nnspec.cli import command_line

        if "_NNSPEC_COMPLETE" in os.environ:
            from nnspec.cli.shells import register

            register()
        command_line(prog_name="nnspec")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except Terminated:
        print("terminated", file=sys.stderr)
        sys.exit(128 + signal.SIGTERM)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


if __name__ == "__main__":
    main()
