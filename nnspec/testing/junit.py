"""The results of tests as JUnit XML, which CI systems show: a suite for each spec, a case for each expectation.

The elements and attributes are those that both the schema of Jenkins (junit-10.xsd) and that of Ant accept.
"""

import re
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as xml

from nnspec.spec_lang.report.escapes import escaped_lines
from nnspec.testing.run import ERROR, SKIPPED, Result

_NOT_XML = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even as a character reference."""


def junit_xml(results: Sequence[Result]) -> bytes:
    """Return the document, UTF-8 with its declaration. Names from specs and files are escaped."""
    root = xml.Element("testsuites")  # Ant's schema gives it no attributes
    root.extend(_suite(number, result) for number, result in enumerate(results))
    xml.indent(root)
    document: bytes = xml.tostring(root, "utf-8", xml_declaration=True)
    return document + b"\n"


def _suite(number: int, result: Result) -> xml.Element:
    cases = _cases(result)
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    attributes = {
        "name": _legal(result.file), "package": _legal(result.title), "id": str(number), **_texts(counts),
        "time": f"{result.seconds:.3f}", "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "hostname": _legal(socket.gethostname()) or "localhost",
    }  # fmt: skip
    suite = xml.Element("testsuite", attributes)
    xml.SubElement(suite, "properties")
    suite.extend(cases)
    said = [case.sentence for case in result.cases] + ([f"the run is in {result.path}"] if result.path else [])
    xml.SubElement(suite, "system-out").text = _legal("\n".join(said))
    xml.SubElement(suite, "system-err").text = _legal(str(result.error) if result.error is not None else "")
    return suite


def _cases(result: Result) -> list[xml.Element]:
    """Return a case for each expectation, and one for the training where that failed or was left out."""
    cases = []
    for case in result.cases:
        element = _case(result, case.expected, result.seconds / len(result.cases))
        if not case.met:
            failure = {"message": _legal(case.sentence), "type": "expectation"}
            said = f"{case.sentence}\nhelp: {case.advice}" if case.advice else case.sentence
            xml.SubElement(element, "failure", failure).text = _legal(said)
        cases.append(element)
    if result.state == SKIPPED:
        cases.append(_case(result, "expect", 0.0))
        xml.SubElement(cases[-1], "skipped", {"message": _legal(result.reason)})
    elif result.state == ERROR:
        cases.append(_case(result, "training", result.seconds))
        kind = type(result.error).__name__ if result.error is not None else "unmeasured"
        error = xml.SubElement(cases[-1], "error", {"message": _legal(result.reason), "type": kind})
        error.text = _legal(str(result.error) if result.error is not None else result.reason)
    return cases


def _case(result: Result, name: str, seconds: float) -> xml.Element:
    return xml.Element("testcase", {"classname": _legal(result.file), "name": _legal(name), "time": f"{seconds:.3f}"})


def _legal(text: str) -> str:
    """Return a text with what XML cannot hold as escapes."""
    return _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped_lines(text))


def _texts(counts: dict[str, int]) -> dict[str, str]:
    return {name: str(number) for name, number in counts.items()}
