"""Models of another framework as pages of the language: Keras's JSON, and PyTorch's nn.Sequential or what it prints.

`keras` and `torch` read a model layer by layer and refuse by its name what the language cannot say; `page` writes and
checks what they read. Nothing of a model is executed.
"""
