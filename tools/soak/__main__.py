"""Run the experiments of this package and count the tries that hold.

python -m tools.soak                          every experiment, with its own full count
python -m tools.soak kills --count 500        one experiment, 500 tries
python -m tools.soak --count 50 --report      all, and write the figures into docs/reliability.md
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tools.report import REPORT, write_entry
from tools.soak.experiments import every_experiment


def main() -> int:
    """Run the requested experiments. Return 0 if every try of each of them held, 1 otherwise."""
    experiments = every_experiment()
    options = _options(list(experiments))
    failed = False
    for name in options.names or experiments:
        experiment = experiments[name]
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


def _options(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tools.soak", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *names], metavar="NAME", help=", ".join(names))
    parser.add_argument("--count", type=int, help="number of tries, instead of each experiment's own")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end an experiment early, in seconds")
    parser.add_argument("--report", action="store_true", help=f"write the figures into {REPORT.name}")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
