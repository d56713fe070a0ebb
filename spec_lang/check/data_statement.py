"""A data statement without a spec, as `nnspec data describe` takes it."""

from nnspec.spec_lang.check.bind_settings import bind_settings
from nnspec.spec_lang.check.collect import Statements
from nnspec.spec_lang.check.overrides import apply_overrides, overrides_from
from nnspec.spec_lang.report.diagnostics import Findings
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.vocabulary.data import DataSource


def data_word(statement: str) -> DataSource:
    """Return the word of a data statement as --data takes it: a file, a file and options, or a whole statement.

    Raises SpecError with what is wrong with it.
    """
    known, found = Statements(), Findings()
    apply_overrides(overrides_from({}, statement), known, found)
    word = bind_settings(known, {}, found).get("data")
    if len(found) or not isinstance(word, DataSource):
        raise SpecError(list(found))
    return word
