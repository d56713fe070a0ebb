import ast

import pytest

from benchmarks.cold import STARTING, import_seconds, with_parts
from benchmarks.drive import PEERS


@pytest.mark.parametrize("peer", STARTING)
def test_what_is_started_afresh_is_imported_by_statements(peer):
    statements = ast.parse(with_parts(PEERS[peer])).body
    assert isinstance(statements[0], ast.Import)
    assert len(statements) == 1 + bool(PEERS[peer].uses)


def test_an_import_is_timed_in_an_interpreter_of_its_own():
    assert 0 < import_seconds("import json") < 60
