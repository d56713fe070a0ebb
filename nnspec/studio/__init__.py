"""The page in which one writes, trains and looks into networks: what `nnspec studio` runs. It needs the extra `studio`.

Its state is what is on the disk, the specs and runs of one folder, and the training that runs in a process of its own.
Every tab listens to the same events. A request passes guard (host, origin, token) → app (routes) → folder, runs,
training, questions. What it has in common with `nnspec serve` is in nnspec.serving.
"""
