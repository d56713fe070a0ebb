"""Specs as tests: each is trained, and what it reaches is compared with what its `expect` statements say.

`nnspec test` uses it. `run` makes the results; junit.py and markdown.py write them for other programs.
"""
