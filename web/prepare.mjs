// Prepares Python for the playground: node prepare.mjs SOURCES.zip CORE.whl LANGUAGE.zip SNAPSHOT.gz
//
// LANGUAGE.zip has the Python files of SOURCES.zip compiled by the Python that will run them. SNAPSHOT.gz is the memory of
// that Python after its start, with the modules of the standard library that the language imports: to load it takes a
// fifth of the time of a start.
import { loadPyodide } from "pyodide";
import { readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const [sources, core, language, snapshot] = process.argv.slice(2);
const contents = async (name) => new Uint8Array(await readFile(name)).buffer;

const python = await loadPyodide();
const packages = python.runPython("import site; site.getsitepackages()[0]");
python.FS.mkdir("/in");
python.unpackArchive(await contents(sources), "zip", { extractDir: "/in" });
python.runPython(`
import compileall, pathlib, py_compile, zipfile

never = py_compile.PycInvalidationMode.UNCHECKED_HASH  # there is no source with it that could be newer
assert compileall.compile_dir("/in", quiet=1, legacy=True, stripdir="/in", invalidation_mode=never)
with zipfile.ZipFile("/out.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
    for path in sorted(pathlib.Path("/in").rglob("*")):
        if path.is_file() and path.suffix != ".py":
            out.write(path, path.relative_to("/in"))
`);
await writeFile(language, python.FS.readFile("/out.zip"));

python.unpackArchive(await contents(language), "zip", { extractDir: packages });
python.unpackArchive(await contents(core), "wheel");
const names = python.runPython(`
import sys
from nnspec.spec_lang.editor import page

page.analyse("input 4 -> dense 2 softmax")
" ".join(sorted(name for name in sys.modules if name.partition(".")[0] in sys.stdlib_module_names))
`);
const begun = await loadPyodide({ _makeSnapshot: true });
begun.runPython(`
import gc, importlib

for name in "${names}".split():
    importlib.import_module(name)
gc.collect()
`);
await writeFile(snapshot, gzipSync(begun.makeMemorySnapshot(), { level: 9 }));
