"""What the project promises of runs and checkpoints, as experiments that count: so many of so many held.

Each is a function of a count, a seed, an empty folder and a limit of seconds. The tests make few tries of each within a
short limit; `python -m tests.soak` makes many, and writes what it counted into docs/reliability.md.
"""
