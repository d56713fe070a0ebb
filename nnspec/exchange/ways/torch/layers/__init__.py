"""How each layer goes out to PyTorch, one family a file: a module of `torch.nn` where there is one that means the same.

A layer is a function of its word, its node, the `Writer` and the values it reads; it returns the text of its output.
"""
