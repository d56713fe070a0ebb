"""Try what the project promises of runs and checkpoints, many times, and write down what was counted.

python -m tests.soak                          every experiment, as often as its soak says
python -m tests.soak kills --count 500        one of them, so often
python -m tests.soak --count 50 --report      all, and the figures into docs/reliability.md
"""

import argparse
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import tests.reliability
from tests.reliability.experiments import EXPERIMENTS
from tests.reliability.report import REPORT, write_down


def main() -> int:
    """Run the experiments asked for; 0 where all tries of all of them held."""
    for module in iter_modules(tests.reliability.__path__):
        if not module.name.startswith("test_"):
            import_module(f"tests.reliability.{module.name}")
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
            command = f"python -m tests.soak {name} --count {count} --seed {options.seed}"
            write_down(name, experiment.claim, tally.held, tally.tried, command, tally.notes, taken)
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.soak", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *EXPERIMENTS], metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument("--count", type=int, help="how many tries, instead of the soak's")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end an experiment early after so many")
    parser.add_argument("--report", action="store_true", help=f"write the figures into {REPORT.name}")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
