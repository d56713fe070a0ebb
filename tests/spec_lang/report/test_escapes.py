"""Control characters become escapes, and everything else stays."""

import json

import pytest

from nnspec.spec_lang.report.diagnostics import Diagnostic
from nnspec.spec_lang.report.escapes import escaped, escaped_json, escaped_lines
from nnspec.spec_lang.report.render import render
from nnspec.spec_lang.source import Source, Span

STEERING = [*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, 0x2028, 0x2029]
STEERING += [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xD800, 0xDCFF]


@pytest.mark.parametrize("code", STEERING)
def test_a_character_that_steers_a_terminal_becomes_its_escape(code: int) -> None:
    text = f"a{chr(code)}b"
    name = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    assert escaped(text) == f"a{name}b"
    assert escaped_lines(text) == (text if text[1] in "\n\t" else f"a{name}b")
    assert json.loads(escaped_json(json.dumps(text, ensure_ascii=False))) == text
    assert escaped(escaped_json(json.dumps(text, ensure_ascii=False))).isprintable()


def test_letters_of_every_script_and_emoji_stay() -> None:
    text = "größe Ω 漢字 עברית नमस्ते 👩\u200d🔬 ½ → …"
    assert escaped(text) == escaped_lines(text) == escaped_json(text) == text


def test_a_diagnostic_keeps_its_own_colours_and_no_others() -> None:
    source = Source("a\x1b[31m.nnspec", "dens\x1b[31m 3\n")
    finding = Diagnostic("E101", "no \x1b[31m here", Span(source, 0, 4), ("note \x9b",), "help \u202e me")
    for width in (None, 60):
        plain = render(finding, width=width)
        assert escaped_lines(plain) == plain
        assert r"a\x1b[31m.nnspec:1:1" in plain and r"no \x1b[31m here" in plain
        assert r"note \x9b" in plain and r"help \u202e me" in plain
        coloured = render(finding, colour=True, width=width)
        assert coloured.count("\x1b") > 4
        for code in ("\x1b[31m", "\x1b[34m", "\x1b[1m", "\x1b[0m"):
            coloured = coloured.replace(code, "")
        assert coloured == plain
