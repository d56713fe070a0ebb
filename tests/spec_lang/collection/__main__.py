"""Print how many of the broken specs are answered as they should be: `python -m tests.spec_lang.collection [KIND]`."""

import sys
from collections import Counter

from tests.spec_lang.collection import cases


def main() -> int:
    """Check every case and print those that are answered otherwise. Return 1 if there is one."""
    chosen = [case for case in cases() if len(sys.argv) < 2 or sys.argv[1] in case.kind]
    held: Counter[str] = Counter()
    for case in chosen:
        problems = case.problems()
        held[case.kind] += not problems
        if problems:
            print(f"{case.text!r}")
            for problem in problems:
                print(f"    {problem}")
    for kind, count in Counter(case.kind for case in chosen).items():
        print(f"{kind}: {held[kind]} of {count}")
    print(f"{held.total()} of {len(chosen)}")
    return int(held.total() < len(chosen))


if __name__ == "__main__":
    sys.exit(main())
