"""Programs for those who work on the project, such as `python -m tools.soak` and `python -m tools.man`."""
