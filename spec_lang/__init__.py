"""What a spec says: text → syntax → checked spec, with errors that teach the language. Needs no NumPy."""

LANGUAGE_VERSION = "0.2"
"""The first two numbers of the package's version; docs/promises.md says what is promised from one to the next."""
