"""Weights that another framework trained, on their way into a network: Keras, PyTorch, or plain arrays.

`files` read arrays by name, `modules` put together those of one layer, `match` finds the layer of the spec for each,
`recipes` say what a layer keeps there and how it becomes ours, and `importing` does all of it.
"""
