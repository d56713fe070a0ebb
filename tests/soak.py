"""Try what the project promises of runs and checkpoints, many times, and write down what was counted.

python -m tests.soak                          every experiment, as often as its soak says
python -m tests.soak kills --count 500        one of them, so often
python -m tests.soak --count 50 --report      all, and the figures into docs/reliability.md
"""

import argparse
import platform
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import tests.reliability
from runtime.environment import environment
from tests.reliability.experiments import EXPERIMENTS, Experiment, Tally

REPORT = Path(__file__).resolve().parents[1] / "docs" / "reliability.md"


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
        print(f"{name}: {tally.held:,} of {tally.tried:,} in {time.monotonic() - start:.0f} s", flush=True)
        for line in (*tally.notes, *tally.failures[:20]):
            print(f"    {line}", flush=True)
        failed |= bool(tally.failures)
        if options.report:
            _write_down(experiment, tally, count, options.seed)
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.soak", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *EXPERIMENTS], metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument("--count", type=int, help="how many tries, instead of the soak's")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end an experiment early after so many")
    parser.add_argument("--report", action="store_true", help=f"write the figures into {REPORT.name}")
    return parser.parse_args()


def _write_down(experiment: Experiment, tally: Tally, count: int, seed: int) -> None:
    """Replace the experiment's entry in the report, or add one at its end."""
    text = REPORT.read_text(encoding="utf-8")
    head, *entries = text.split("\n### ")
    found = {entry.split("\n", 1)[0]: entry for entry in entries}
    found[experiment.name] = _entry(experiment, tally, count, seed)
    REPORT.write_text("\n### ".join([head.rstrip() + "\n", *(found[name].rstrip() + "\n" for name in sorted(found))]))


def _entry(experiment: Experiment, tally: Tally, count: int, seed: int) -> str:
    here = environment()
    machine = f"Python {here['python']}, NumPy {here['numpy']}, {here['blas']} {here['blas_version']}"
    lines = [
        experiment.name,
        "",
        f"**{tally.held:,} of {tally.tried:,}**: {experiment.claim}.",
        "",
        f"    python -m tests.soak {experiment.name} --count {count} --seed {seed}",
        "",
        *(f"- {note}" for note in tally.notes),
        *([""] if tally.notes else []),
        f"{time.strftime('%Y-%m-%d')}, {platform.system()} {platform.machine()}, {machine}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
