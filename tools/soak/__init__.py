"""Experiments that count how often the promises about runs and checkpoints hold.

Each experiment is a function of a count, a seed, an empty folder and a time limit in seconds. The tests run a few tries
of each; `python -m tools.soak` runs many and writes the figures into docs/reliability.md.
"""
