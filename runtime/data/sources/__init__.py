"""The readers of data sources, one module for each family of words; `load.SOURCES` finds them."""
