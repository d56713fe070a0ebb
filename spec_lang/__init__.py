"""What a spec says: text → syntax → checked spec, with errors that teach the language. Needs no NumPy."""
