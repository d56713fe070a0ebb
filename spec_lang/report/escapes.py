"""Text from files made visible: characters that would steer a terminal or reorder a line become escapes, as \\x1b.

Every output escapes with it at one place: diagnostics in render.py, the command in nnspec/cli/_output.py, SVG where
it is saved. It does not know what a text means.
"""

import re

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_STEERING = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_BIDI}]")
"""C0 and C1 controls, separators of lines and paragraphs, halves of surrogate pairs, overrides of direction."""

_LAYOUT = re.compile(f"(?![\n\t]){_STEERING.pattern}")


def escaped(text: str) -> str:
    """Return a text of one line with its control characters as escapes: \\x1b, \\x0a, \\u202e."""
    return _STEERING.sub(_escape, text)


def escaped_lines(text: str) -> str:
    """Return a text of several lines with its control characters as escapes, except line feeds and tabs."""
    return _LAYOUT.sub(_escape, text)


def escaped_json(document: str) -> str:
    """Return a JSON document with its control characters as the escapes of JSON: it says the same."""
    return _LAYOUT.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
