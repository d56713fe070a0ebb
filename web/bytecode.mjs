// Compiles the Python files of an archive with the Python that will run them: node bytecode.mjs IN.zip OUT.zip
import { loadPyodide } from "pyodide";
import { readFile, writeFile } from "node:fs/promises";

const [from, to] = process.argv.slice(2);
const python = await loadPyodide();
python.FS.mkdir("/in");
python.unpackArchive(new Uint8Array(await readFile(from)).buffer, "zip", { extractDir: "/in" });
python.runPython(`
import compileall, pathlib, py_compile, zipfile

never = py_compile.PycInvalidationMode.UNCHECKED_HASH  # there is no source beside it that could be newer
assert compileall.compile_dir("/in", quiet=1, legacy=True, stripdir="/in", invalidation_mode=never)
with zipfile.ZipFile("/out.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
    for path in sorted(pathlib.Path("/in").rglob("*")):
        if path.is_file() and path.suffix != ".py":
            out.write(path, path.relative_to("/in"))
`);
await writeFile(to, python.FS.readFile("/out.zip"));
