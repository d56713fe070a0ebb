"""The layers of the language, one family a file: their arguments, the shapes they make, the arrays they learn."""
