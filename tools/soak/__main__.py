"""Run the experiments of this package and count the tries that hold.

python -m tools.soak                          every experiment, with its own full count
python -m tools.soak kills --count 500        one experiment, 500 tries
python -m tools.soak --count 50 --report      all, and write the figures into docs/reliability.md
"""

import argparse
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import tools.soak
from tools.report import REPORT, write_entry
from tools.soak.experiments import EXPERIMENTS


def main() -> int:
    """Run the requested experiments. Return 0 if every try of each of them held, 1 otherwise."""
    for module in iter_modules(tools.soak.__path__):
        if module.name != "__main__":
            import_module(f"tools.soak.{module.name}")
    options = _options()
    failed = False
    for name in options.names or EXPERIMENTS:
        experiment = EXPERIMENTS[name]
        count = options.count or experiment.soak
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            tally = experiment.run(count, options.seed, Path(folder), options.seconds)
        taken = time.monotonic() - start
        print(f"{name}: {tally.held:,} of {tally.tried:,} in {taken:.0f} s", flush=True)
        for line in (*tally.notes, *tally.failures[:20]):
            print(f"    {line}", flush=True)
        failed |= bool(tally.failures)
        if options.report:
            command = f"python -m tools.soak {name} --count {count} --seed {options.seed}"
            write_entry(name, experiment.claim, tally.held, tally.tried, command, tally.notes, taken)
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tools.soak", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *EXPERIMENTS], metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument("--count", type=int, help="number of tries, instead of each experiment's own")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end an experiment early, in seconds")
    parser.add_argument("--report", action="store_true", help=f"write the figures into {REPORT.name}")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
