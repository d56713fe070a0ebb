"""What a file of data holds, before anything is trained on it.

`describe` reads the source of a data statement: the columns of a table with their kinds, ranges and what they say of
the target, the arrays of any other source, the classes, and samples that occur twice or in two splits.
"""

from nnspec.runtime.data.description.columns import ColumnDescription
from nnspec.runtime.data.description.describe import Description, describe

__all__ = ["ColumnDescription", "Description", "describe"]
