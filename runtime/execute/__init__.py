"""Executors, which compute the lanes of a program: this thread in turn, several threads, or a worker process.

`infer` and `train` use it. It knows bound programs; it knows neither networks nor specs.
"""
