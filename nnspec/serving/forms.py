"""The files of a form, multipart/form-data, parsed in memory."""

from typing import Any

from nnspec.serving.limits import Refusal

FIELD = "file"
MOST_FILES = 1024
_DAMAGED = "the form is damaged: its parts do not follow its boundary"


def files_of(content_type: str, body: bytes) -> list[bytes]:
    """Return the content of each part called "file", in order. Raises Refusal for another part or a damaged form."""
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser, parse_options_header

    _, settings = parse_options_header(content_type)
    boundary = settings.get(b"boundary")
    if not boundary:
        raise Refusal(400, "the form is damaged: its Content-Type has no boundary")
    parts = _Parts()
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError):
        raise Refusal(400, _DAMAGED) from None
    if not parts.whole:
        raise Refusal(400, _DAMAGED)
    found = []
    for head, content in parts.found:
        _, named = parse_options_header(head.get(b"content-disposition", b""))
        if named.get(b"name") != FIELD.encode():
            raise Refusal(422, f'the form has a field of another name than "{FIELD}": curl -F {FIELD}=@seven.png')
        found.append(bytes(content))
    if not found:
        raise Refusal(422, f"the form has no file: send pictures as files, curl -F {FIELD}=@seven.png")
    return found


class _Parts:
    """What the parser has found: the headers and the content of each part, and whether the last boundary came."""

    def __init__(self) -> None:
        self.found: list[tuple[dict[bytes, bytes], bytearray]] = []
        self.whole = False
        self._name = self._value = b""

    def callbacks(self) -> dict[str, Any]:
        """Return what the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_part_data": lambda data, start, end: self.found[-1][1].extend(data[start:end]),
            "on_header_field": self._add_name,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.found) >= MOST_FILES:
            raise Refusal(413, f"the form has more than {MOST_FILES:,} files: send fewer in each request")
        self.found.append(({}, bytearray()))

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self.found[-1][0][self._name.lower()] = self._value
        self._name = self._value = b""

    def _end(self) -> None:
        self.whole = True
