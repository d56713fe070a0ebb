// The language in a worker: Pyodide, and in it the answers of nnspec.spec_lang.editor.page.
//
// Messages to the worker: {id, question, given}, answered by {id, answer} or {id, error}. Messages without an id are events:
// {event: "loading", text}, then {event: "ready"} or {event: "failed", text}. Questions that come earlier wait. Training
// would be a question too, its curve further events; it needs a wheel of NumPy for this Pyodide, which PyPI does not have.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const here = (name) => new URL(name, import.meta.url);

async function load() {
  postMessage({ event: "loading", text: "Loading Python …" });
  const files = Promise.all(["language.zip", "pydantic_core.zip"].map(bytes));
  const python = await loadPyodide({ indexURL: here("pyodide/").href, _loadSnapshot: unpacked("snapshot.bin") });
  postMessage({ event: "loading", text: "Loading the language …" });
  const [language, core] = await files;
  const packages = python.runPython("import site; site.getsitepackages()[0]");
  python.unpackArchive(language, "zip", { extractDir: packages });
  python.unpackArchive(core, "wheel");
  return python.runPython(`
import json
from nnspec.spec_lang.editor.page import ANSWERS

def answer(question, given):
    return json.dumps(ANSWERS[question](*json.loads(given)))

answer("analyse", '["input 4 -> dense 2 softmax"]')
answer
`);
}

async function bytes(name) {
  return (await found(name)).arrayBuffer();
}

/** Return the contents of a file that is packed with gzip. */
async function unpacked(name) {
  const stream = (await found(name)).body.pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

async function found(name) {
  const response = await fetch(here(name));
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
  return response;
}

const loaded = load();
loaded.then(
  () => postMessage({ event: "ready" }),
  (error) => postMessage({ event: "failed", text: String(error.message ?? error) }),
);

addEventListener("message", async ({ data: { id, question, given } }) => {
  try {
    const answer = await loaded;
    postMessage({ id, answer: JSON.parse(answer(question, JSON.stringify(given))) });
  } catch (error) {
    postMessage({ id, error: String(error.message ?? error) });
  }
});
