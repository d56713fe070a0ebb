"""Networks on their way out of nnspec and in: ONNX, PyTorch, C, NumPy, and weights trained elsewhere.

A way out is a module of `ways` with one function, registered by `way`: it returns the files as bytes, after it has run
them against the network. `export` writes them, all or none.
"""
