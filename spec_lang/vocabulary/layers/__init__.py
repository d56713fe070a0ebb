"""The layers of the language, one module for each family: arguments, output shapes, learned arrays."""
