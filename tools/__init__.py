"""Programs for those who work on the project: `python -m tools.soak`, `python -m tools.mutants`, `python -m tools.man`."""
