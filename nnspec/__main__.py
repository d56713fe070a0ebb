"""`python -m nnspec`, and what the command `nnspec` calls."""

import atexit
import gc
import os
import signal
import sys
from types import FrameType

BEFORE_THE_FIRST = 500_000
"""New objects before the first garbage collection: more than the imports make, which leave hardly any garbage."""


class Terminated(BaseException):
    """SIGTERM, as KeyboardInterrupt is SIGINT: nothing that handles errors catches it."""


def main() -> None:
    """Run the command line and end the process with its exit code.

    A signal that arrives before a verb handles it, during the imports too, ends in the same words as later.
    """
    from nnspec._streams import make_streams_last

    make_streams_last()
    _collect_later()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some reads every package's metadata
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


def _collect_later() -> None:
    """Let the first garbage collection wait: during the imports it takes a tenth of the time, and at the end as much.

    Later ones are as frequent as usual, and look at nothing that was there at the first.
    """
    usual = gc.get_threshold()

    def after_the_first(phase: str, about: dict[str, int]) -> None:
        if phase == "stop":
            gc.callbacks.remove(after_the_first)
            gc.freeze()
            gc.set_threshold(*usual)

    gc.callbacks.append(after_the_first)
    gc.set_threshold(BEFORE_THE_FIRST)
    atexit.register(gc.freeze)  # the interpreter collects once more as it ends, and then traverses nothing


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


if __name__ == "__main__":
    main()
