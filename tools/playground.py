"""Assemble the playground, a page in which the language runs: `python -m tools.playground FOLDER`.

It writes `playground.html` and the folder `playground` with all that the page loads: the front end of `nnspec.web`,
Pyodide from npm, the language with the packages it needs, compiled for that Python, and the specs of the package. The
page must be served over HTTP and asks no other host for anything. Needs npm, Node.js and pip, and once the registries
of both.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution, version
from pathlib import Path
from threading import Thread
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import nnspec
from nnspec.cli.specs import about_spec, shipped_specs
from nnspec.runtime.data.examples import EXAMPLES, write_example
from nnspec.web import STATIC

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "web"
PYODIDE = WEB / "node_modules" / "pyodide"

CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
"""The files of Pyodide that the page loads, apart from its list of packages."""

OWN = ("playground.js", "playground.css", "worker.js")

PURE = ("pydantic", "annotated-types", "typing-extensions", "typing-inspection")
"""The packages that the language imports and that have no compiled parts. Lark has made the parse tables already."""

LEFT_OUT = ("pydantic/v1/", "pydantic/mypy.py")
"""Parts of them that the language never imports."""


class PlaygroundError(Exception):
    """A tool or a package that the playground needs cannot be had."""


def assemble(folder: Path) -> Path:
    """Write the page into a folder and return its path. Raises PlaygroundError."""
    install()
    inside = folder / "playground"
    shutil.rmtree(inside, ignore_errors=True)
    shutil.copytree(STATIC, inside)
    for name in OWN:
        shutil.copy(WEB / name, inside / name)
    _pyodide(inside / "pyodide")
    core = Path(shutil.copy(_core_wheel(), inside / "pydantic_core.zip"))
    _prepare(core, inside / "language.zip", inside / "snapshot.bin")
    (inside / "specs.json").write_text(json.dumps(list(shipped()), ensure_ascii=False), encoding="utf-8")
    return Path(shutil.copy(WEB / "playground.html", folder / "playground.html"))


class _Quiet(SimpleHTTPRequestHandler):
    """Files over HTTP, without a line for each."""

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


class _Server(ThreadingHTTPServer):
    """A server that a browser may leave in the middle of a file."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine and yield its address, which ends in a slash."""
    server = _Server(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def install() -> None:
    """Install what npm has for the pages, unless it is there. Raises PlaygroundError."""
    wanted = json.loads((WEB / "package.json").read_text(encoding="utf-8"))["devDependencies"]["pyodide"]
    there = PYODIDE / "package.json"
    if not there.exists() or json.loads(there.read_text(encoding="utf-8"))["version"] != wanted:
        _run("npm", "ci", "--silent")


def shipped() -> Iterator[dict[str, Any]]:
    """Yield the name, the comment in the first line, the text and the `sample` of each spec of the package.

    The sample is the shape of one where the spec leaves it to data that `nnspec data example` writes, else None.
    """
    for name, path in shipped_specs().items():
        text = path.read_text(encoding="utf-8")
        yield {"name": name, "about": about_spec(path), "text": text, "sample": _sample(path)}


def _sample(path: Path) -> list[int] | None:
    if nnspec.check(path).input is not None or path.stem not in EXAMPLES:
        return None
    with tempfile.TemporaryDirectory() as name:
        try:
            write_example(path.stem, Path(name))
        except nnspec.DataError:  # what writes the data is not installed
            return None
        shape = nnspec.compile(shutil.copy(path, name)).spec.input
    return list(shape) if shape is not None else None


def _pyodide(folder: Path) -> None:
    folder.mkdir()
    for name in CORE:
        shutil.copy(PYODIDE / name, folder / name)
    (folder / "pyodide-lock.json").write_text(json.dumps({"info": _built_for(), "packages": {}}), encoding="utf-8")
    (folder / "README.txt").write_text(
        f"Pyodide {_pyodide_version()}, the npm package of this name, under the Mozilla Public License 2.0;\n"
        "its source: https://github.com/pyodide/pyodide. Without a list of packages, since none is loaded from it.\n",
        encoding="utf-8",
    )


def _pyodide_version() -> str:
    return str(json.loads((PYODIDE / "package.json").read_text(encoding="utf-8"))["version"])


def _built_for() -> dict[str, str]:
    """Return the version of Python and of the binary interface that Pyodide is built for."""
    info: dict[str, str] = json.loads((PYODIDE / "pyodide-lock.json").read_text(encoding="utf-8"))["info"]
    return info


def _prepare(core: Path, language: Path, snapshot: Path) -> None:
    """Write the language and what it needs as an archive of bytecode, and the memory of a started Python."""
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "sources.zip"
        with ZipFile(sources, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            for path, name in _files():
                archive.write(path, name)
        _run("node", "prepare.mjs", *(str(path.resolve()) for path in (sources, core, language, snapshot)))


def _files() -> Iterator[tuple[Path, str]]:
    yield ROOT / "nnspec" / "__init__.py", "nnspec/__init__.py"
    for path in sorted((ROOT / "spec_lang").rglob("*")):
        if path.suffix in (".py", ".lark", ".json"):
            yield path, f"nnspec/spec_lang/{path.relative_to(ROOT / 'spec_lang').as_posix()}"
    for package in PURE:
        for file in distribution(package).files or ():
            kept = file.suffix == ".py" or "licenses" in file.parts or file.name in ("LICENSE", "METADATA")
            if kept and ".." not in file.parts and not file.as_posix().startswith(LEFT_OUT):
                yield Path(str(file.locate())), file.as_posix()


def _core_wheel() -> Path:
    """Return the compiled part of Pydantic for Pyodide: the wheel of the installed version, kept in build."""
    info, wanted = _built_for(), version("pydantic-core")
    platform = f"pyemscripten_{info['abi_version']}_wasm32"
    python = "".join(info["python"].split(".")[:2])
    name, folder = f"pydantic_core-{wanted}-cp{python}-cp{python}-{platform}.whl", ROOT / "build" / "wheels"
    if not (folder / name).exists():
        _run(
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"),
            *("--python-version", python, "--implementation", "cp", "--abi", f"cp{python}", "--platform", platform),
            *("--dest", str(folder), f"pydantic-core=={wanted}"),
        )
    return folder / name


def _run(*command: str) -> None:
    """Run a command in the folder of the pages. Raises PlaygroundError."""
    try:
        done = subprocess.run(command, cwd=WEB, capture_output=True, text=True)
    except FileNotFoundError:
        raise PlaygroundError(f"the playground needs {command[0]}, which is not installed") from None
    if done.returncode != 0:
        raise PlaygroundError(f"{' '.join(command[:4])} … failed:\n{done.stderr.strip() or done.stdout.strip()}")


def main() -> None:
    """Read the command line."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: python -m tools.playground FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    try:
        page = assemble(folder)
    except PlaygroundError as error:
        sys.exit(f"error: {error}")
    size = sum(path.stat().st_size for path in (folder / "playground").rglob("*") if path.is_file())
    print(f"{page}: {size / 1e6:.1f} MB; serve it with python -m http.server --directory {folder}")


if __name__ == "__main__":
    main()
