"""Programs as values: operands, instructions, the writer that collects them, and the program of one lane.

It knows NumPy's functions and the signature of a program, not layers, schedules or kernels.
"""
