"""Sweeps: many runs from one spec, on this machine or on others, and what they say together.

grid.py and search.py name the trials, work.py trains one of them anywhere, backends/ says where, conductor.py keeps all
of it going, folder.py keeps what is known on the disk, ranking.py compares.
"""
