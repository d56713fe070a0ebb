"""Tables: files of text or Parquet read into frames, columns of many kinds encoded as numbers.

A reader makes a `Frame`, the columns as they are in the file. `ColumnTable` is the features of one; from its training
rows it learns a `ColumnEncoding`, which a checkpoint keeps and which takes raw rows.
"""
