"""Every limit of the language, with its reason. A spec beyond one of them is reported, never cut silently."""

MAX_TEXT_BYTES = 1 << 20
"""Bytes of a spec together with the files it includes: no network that trains on one machine needs more text."""

MAX_NESTING = 64
"""Levels of parentheses and braces, and of blocks inside blocks: reading recurses once for each level."""

MAX_INCLUDE_DEPTH = 64
"""Files that include each other in a chain."""

MAX_INTEGER = 2**63 - 1
"""The largest whole number: what a signed 64-bit integer holds."""

MAX_SHAPE_AXES = 8
"""Axes of a shape."""

MAX_LAYERS = 10_000
"""Layers of a network once its repeats and blocks are written out."""

MAX_STAGES = 100_000
"""Stages of a network once its repeats and blocks are written out, those without a layer included."""

MAX_FINDINGS = 1000
"""Findings of one check. Finding near names takes time, and a longer list helps no reader."""
