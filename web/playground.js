// The playground: the workbench with the language in a worker of this page, the shipped specs, and links that carry a spec.
import { fragmentOf, textOf } from "./link.js";
import { themeButton } from "./theme.js";
import { createWorkbench } from "./workbench.js";

const FIRST = "quickstart";
const KEPT = "nnspec playground text"; // the key of the text in the browser's storage

const [menu, variants, format, share, note] = ["specs", "variants", "format", "share", "note"].map((id) => document.getElementById(id));
themeButton(document.getElementById("theme"));

const language = startWorker();
const specs = await (await fetch(new URL("specs.json", import.meta.url))).json();
for (const { name, about } of specs) {
  const option = new Option(`${name}: ${about}`, name);
  option.title = about;
  menu.append(option);
}

const bench = createWorkbench(document.getElementById("place"), language, {
  text: await firstText(),
  keys: [{ key: "Shift-Alt-f", run: () => (formatText(), true) }],
  onText: keep,
  onAnalysis: showVariants,
  onFailure: (error) => say(error.message, true),
});
const { editor } = bench;
window.playground = { bench, language }; // for the console, and for measurements

menu.addEventListener("change", () => {
  const chosen = specs.find(({ name }) => name === menu.value);
  if (chosen === undefined) return;
  editor.setText(chosen.text, chosen.sample);
  editor.focus();
  forgetLink();
});
variants.querySelector("select").addEventListener("change", (event) => editor.setVariant(event.target.value || null));
format.addEventListener("click", formatText);
share.addEventListener("click", copyLink);
addEventListener("hashchange", async () => {
  const text = await linkedText();
  if (text !== null) editor.setText(text);
});

language.ready.then(
  (seconds) => {
    format.disabled = false;
    say(`Ready after ${seconds.toFixed(1)} s.`);
  },
  (error) => say(`The language could not be loaded: ${error.message}`, true),
);

function say(text, wrong = false) {
  note.textContent = text;
  note.classList.toggle("wrong", wrong);
}

/** Return the text to begin with: that of the link, the one from the last visit, or a shipped spec. */
async function firstText() {
  return (await linkedText()) ?? kept() ?? specs.find(({ name }) => name === FIRST).text;
}

async function linkedText() {
  try {
    return await textOf(location.hash);
  } catch (error) {
    say(error.message, true);
    return null;
  }
}

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // a browser that keeps nothing
  }
}

function keep(text) {
  try {
    localStorage.setItem(KEPT, text);
  } catch {
    // nothing is kept
  }
  forgetLink();
}

/** Drop the fragment of the address once the text is another one. */
function forgetLink() {
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
}

async function copyLink() {
  history.replaceState(null, "", await fragmentOf(editor.text()));
  try {
    await navigator.clipboard.writeText(location.href);
    say("The link is copied; it carries the whole text.");
  } catch {
    say("The address of this page is now the link; it carries the whole text.");
  }
}

async function formatText() {
  const text = editor.text();
  const found = await language.formatted(text);
  if (found === null) {
    say("A text with syntax errors is not formatted.", true);
  } else if (editor.text() === text && found !== text) {
    const place = editor.view.state.selection.main.head;
    editor.view.dispatch({
      changes: { from: 0, to: text.length, insert: found },
      selection: { anchor: Math.min(place, found.length) },
      userEvent: "input.format",
    });
  }
}

function showVariants({ variants: names, variant }) {
  variants.hidden = names.length === 0;
  const select = variants.querySelector("select");
  select.replaceChildren(new Option("none", ""), ...names.map((name) => new Option(name, name)));
  select.value = variant ?? "";
}

/** Start the worker and return its questions as promises, with `ready`, the seconds until it could answer. */
function startWorker() {
  const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  const waiting = new Map();
  let last = 0;
  const ask = (question) => (...given) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      worker.postMessage({ id: last, question, given });
    });
  const ready = new Promise((resolve, reject) => {
    worker.addEventListener("message", ({ data }) => {
      if (data.event === "loading") say(data.text);
      else if (data.event === "ready") resolve(performance.now() / 1000);
      else if (data.event === "failed") reject(new Error(data.text));
      else {
        const { resolve: answer, reject: refuse } = waiting.get(data.id);
        waiting.delete(data.id);
        if ("error" in data) refuse(new Error(data.error));
        else answer(data.answer);
      }
    });
    worker.addEventListener("error", (event) => reject(new Error(event.message || "the worker did not start")));
  });
  return { ready, analyse: ask("analyse"), complete: ask("complete"), hover: ask("hover"), formatted: ask("formatted") };
}
