"""What is said of the project in several files is said alike."""

import re
import tomllib

from tests.package.conftest import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
HOME = PROJECT["urls"]["Homepage"]
PAGES = [path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")) if path.is_file()]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_links_between_the_projects_files_lead_somewhere() -> None:
    """The index shows the README alone, so that its links are absolute; other pages link relatively."""
    dead = []
    for page in PAGES:
        content = re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))  # in code a bracket is no link
        absolute = rf"\]\((?:{HOME}/blob|{HOME.replace('github.com', 'raw.githubusercontent.com')})/?(?:main)?/([^)#]+)"
        for target in re.findall(absolute, content):
            dead += [(page.name, target)] if not (ROOT / target).exists() else []
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", content):
            dead += [(page.name, target)] if not (page.parent / target).exists() or page.name == "README.md" else []
    assert dead == []


def test_every_package_is_listed() -> None:
    folders = PYPROJECT["tool"]["setuptools"]["package-dir"]
    found = {"nnspec.specs"}  # no Python
    for package, folder in folders.items():
        for module in (ROOT / folder).rglob("__init__.py"):
            found.add(".".join((package, *module.parent.relative_to(ROOT / folder).parts)))
    assert PYPROJECT["tool"]["setuptools"]["packages"] == sorted(found)


def test_the_version_of_the_citation_is_the_packages() -> None:
    assert f"version: {PROJECT['version']}\n" in text("CITATION.cff")
    assert f'"version": "{PROJECT["version"]}"' in text("editors/vscode/package.json")


def test_the_classifiers_name_the_versions_of_python_that_are_tested() -> None:
    (matrix,) = re.findall(r"python: \[(.*)\]", text(".github/workflows/ci.yml"))
    tested = re.findall(r"\d+\.\d+", matrix)
    assert [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d", line)] == tested
    assert PROJECT["requires-python"] == f">={tested[0]}"


def test_every_issue_is_asked_for_what_is_needed() -> None:
    for name in ("bug", "idea"):
        assert "required: true" in text(f".github/ISSUE_TEMPLATE/{name}.yml")
