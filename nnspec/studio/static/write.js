// The view to write in: the specs of the folder, the workbench, what is saved and what is not.
import { createWorkbench, made } from "/static/web/workbench.js";
import { api } from "./api.js";
import { claimTab, dropDraft, keepDraft, leftDrafts, ownDraft } from "./drafts.js";

const BEGIN = "quickstart"; // the shipped spec that a new file is at first

export function createWrite(section, studio) {
  const tools = made("div", "tools");
  const files = made("select", "", { "aria-label": "Spec", id: "files" });
  const fresh = made("button", "", { type: "button", id: "new" }, "New…");
  const save = made("button", "", { type: "button", id: "save", title: "Ctrl-S" }, "Save");
  const saved = made("span", "saved", { role: "status", id: "saved" });
  const variants = made("select", "", { "aria-label": "Variant", id: "variants" });
  const train = made("button", "main", { type: "button", id: "train", title: "Ctrl-Enter: saves and trains" }, "Train");
  tools.append(files, fresh, save, saved, variants, train);
  const place = made("div", "bench");
  section.append(tools, place);

  let file = null; // the name of the file that is shown
  let disk = null; // its text on the disk as this tab knows it, and its revision
  let saving = null;
  const { folder } = studio.state;

  const bench = createWorkbench(place, {
    analyse: (text, variant, sample) => api.language("analyse", { text, variant, sample, name: file ?? undefined }),
    complete: (text, offset) => api.language("complete", { text, offset, variant: bench.editor.variant, name: file ?? undefined }),
    async hover(text, offset) {
      const found = await api.language("hover", { text, offset, variant: bench.editor.variant, name: file ?? undefined });
      return found;
    },
  }, {
    text: "",
    onText: changed,
    onAnalysis(result) {
      drawVariants(result);
      drawTrain(result);
    },
    onFailure: (error) => error.status !== 0 && studio.notice("refused", error.message, [], "error"),
    keys: [
      { key: "Mod-s", run: () => (store(), true), preventDefault: true },
      { key: "Mod-Enter", run: () => (begin(), true), preventDefault: true },
    ],
  });
  const { editor } = bench;
  editor.setReadOnly(true); // until it has a file: what is typed is kept for one

  const unsaved = () => file !== null && disk !== null && editor.text() !== disk.text;

  function changed(text) {
    if (file === null || disk === null) return;
    if (text === disk.text) dropDraft(folder, file);
    else if (!keepDraft(folder, file, text, disk.revision)) studio.notice("draft", "This browser keeps no text: save often.");
    drawSaved();
  }

  function drawSaved(text = null) {
    save.disabled = !unsaved();
    saved.textContent = text ?? (file === null ? "" : unsaved() ? "not saved" : "saved");
    saved.classList.toggle("unsaved", unsaved());
  }

  function drawFiles() {
    const names = studio.state.files.map(({ name }) => name);
    if (file !== null && !names.includes(file)) names.push(file);
    files.replaceChildren(...names.map((name) => new Option(name, name, false, name === file)));
    files.disabled = names.length === 0;
    if (file === null) files.append(new Option("no spec yet"));
  }

  function drawVariants(result) {
    variants.hidden = result.variants.length === 0;
    variants.replaceChildren(new Option("without a variant", ""), ...result.variants.map((name) => new Option(`variant ${name}`, name)));
    variants.value = result.variant ?? "";
  }
  variants.hidden = true;
  variants.addEventListener("change", () => editor.setVariant(variants.value || null));

  function drawTrain(result = bench.result()) {
    const stuck = studio.training() ? "a training is running" : result && !result.valid ? "the spec has errors" : "";
    train.disabled = file === null || stuck !== "";
    train.title = stuck || "Ctrl-Enter: saves and trains";
  }

  /** Show a file as it is on the disk, or as this tab had left it. */
  async function open(name) {
    const found = await studio.attempt(() => api.read(name));
    if (found === undefined) return drawFiles();
    const draft = ownDraft(folder, name);
    editor.setReadOnly(false);
    file = null; // the change of the text is not of the former file
    editor.setText(draft?.text ?? found.text);
    file = name;
    disk = { text: found.text, revision: found.revision };
    sessionStorage.setItem("file", name);
    studio.notice("conflict", null);
    studio.notice("restored", null);
    if (draft && draft.text !== found.text) {
      studio.notice("restored", `${name}: what you had not saved is here again.`, [["Discard it", () => editor.setText(disk.text)]]);
      if (draft.base !== found.revision) conflict({ text: found.text, revision: found.revision });
    } else if (draft) {
      dropDraft(folder, name);
    }
    drawFiles();
    drawSaved();
    editor.analyse();
    return undefined;
  }

  /** Write the text to the disk, unless the file is another by now. Returns whether it is saved. */
  async function store(force = null) {
    if (saving !== null) await saving;
    if (file === null || (!unsaved() && force === null)) return file !== null;
    const [name, text] = [file, editor.text()];
    saving = api.write(name, text, force ?? disk.revision);
    try {
      const { revision } = await saving;
      if (file === name) {
        disk = { text, revision };
        studio.notice("conflict", null);
        studio.notice("restored", null);
        changed(editor.text());
      }
      return true;
    } catch (error) {
      if (error.status === 409) conflict(error.content);
      else studio.notice("refused", error.status === 0 ? "Not saved: the studio does not answer. Your text is kept in this browser." : error.message, [], "error");
      return false;
    } finally {
      saving = null;
      drawSaved();
    }
  }

  /** Ask what is to become of two texts of one file. Nothing is lost before that. */
  function conflict(now) {
    const name = file;
    const gone = now.gone === true;
    studio.notice("conflict", gone ? `${name} was removed while you were writing.` : `${name} was changed elsewhere while you were writing.`, [
      ["Save mine over it", async () => {
        if (gone) await studio.attempt(() => create(name, editor.text()));
        else await store(now.revision);
      }],
      ...(gone ? [] : [["Take the other", () => {
        disk = { text: now.text, revision: now.revision };
        editor.setText(now.text); // undo brings the own text back
        changed(editor.text());
      }]]),
      ["Save mine as a new file", async () => {
        const text = editor.text();
        const copy = await create(freeName(name.replace(/\.nnspec$/, "")), text);
        if (copy) {
          dropDraft(folder, name);
          await open(copy);
        }
      }],
    ], "error");
  }

  function freeName(stem) {
    const taken = new Set(studio.state.files.map(({ name }) => name));
    for (let number = 2; ; number += 1) {
      const name = `${stem}-${number}.nnspec`;
      if (!taken.has(name)) return name;
    }
  }

  async function create(name, text) {
    const made_ = await studio.attempt(() => api.write(name, text, null));
    return made_ === undefined ? null : name;
  }

  async function begin() {
    if (train.disabled || !(await store())) return;
    const started = await studio.attempt(() => api.train(file, disk.revision, editor.variant));
    if (started !== undefined) studio.go("runs");
  }

  /** The file has another revision on the disk: take it, or ask. */
  async function elsewhere(revision) {
    if (disk === null || revision === disk.revision || saving !== null) return;
    const name = file;
    const found = await api.read(name).catch(() => null);
    if (found === null || name !== file || saving !== null || found.revision === disk.revision) return;
    if (editor.text() === found.text || !unsaved()) {
      const same = editor.text() === found.text;
      disk = { text: found.text, revision: found.revision };
      if (!same) editor.setText(found.text);
      changed(editor.text());
    } else {
      conflict(found);
    }
  }

  files.addEventListener("change", () => open(files.value));
  save.addEventListener("click", () => store());
  train.addEventListener("click", begin);
  fresh.addEventListener("click", () => newDialog(section, studio, async (name, text) => {
    const made_ = await create(name, text);
    if (made_) await open(made_);
    return made_ !== null;
  }));
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      store();
    }
  });
  studio.on("file", ({ name, revision }) => name === file && elsewhere(revision));
  for (const kind of ["folder", "state"]) {
    studio.on(kind, () => {
      drawFiles();
      const now = studio.state.files.find(({ name }) => name === file);
      if (now) elsewhere(now.revision);
    });
  }
  studio.on("training", () => drawTrain());

  (async () => {
    await claimTab();
    const names = studio.state.files.map(({ name }) => name);
    const first = [sessionStorage.getItem("file"), studio.state.opens, names[0]].find((name) => names.includes(name));
    drawFiles();
    if (first) await open(first);
    else fresh.click();
    const left = await leftDrafts(folder);
    for (const draft of left.slice(0, 3)) offer(draft);
  })();

  /** Offer what a tab has left that did not end well. */
  function offer(draft) {
    const when = new Date(draft.at).toLocaleString();
    studio.notice(`left-${draft.owner}-${draft.file}`, `${draft.file}: text of ${when} was not saved.`, [
      ["Take it", async () => {
        if (file !== draft.file) await open(draft.file);
        if (file !== draft.file) return;
        editor.setText(draft.text);
        dropDraft(folder, draft.file, draft.owner);
      }],
      ["Throw it away", () => dropDraft(folder, draft.file, draft.owner)],
    ]);
  }

  return { show: () => editor.view.requestMeasure() };
}

/** Ask for the name of a new spec and what it begins with. `made_(name, text)` makes it, and returns whether it could. */
async function newDialog(parent, studio, make) {
  const dialog = made("dialog", "", { "aria-labelledby": "new-title" });
  const form = made("form", "", { method: "dialog" });
  const title = made("h2", "", { id: "new-title" }, "A new spec");
  const name = made("input", "", { type: "text", name: "name", required: "", id: "new-name", autocomplete: "off", spellcheck: "false" });
  const from = made("select", "", { id: "new-from" });
  const about = made("p", "quiet");
  const cancel = made("button", "", { type: "button" }, "Cancel");
  const create = made("button", "main", { type: "submit" }, "Make it");
  const shipped = (await studio.attempt(api.shipped)) ?? [];
  from.append(new Option("an empty text", ""), ...shipped.map((spec) => new Option(spec.name, spec.name, false, spec.name === BEGIN)));
  const chosen = () => shipped.find((spec) => spec.name === from.value);
  const describe = () => {
    about.textContent = chosen()?.about ?? "Only what you write.";
    if (!name.dataset.typed) name.value = free(chosen()?.name ?? "network");
  };
  const free = (stem) => {
    const taken = new Set(studio.state.files.map((each) => each.name));
    let found = `${stem}.nnspec`;
    for (let number = 2; taken.has(found); number += 1) found = `${stem}-${number}.nnspec`;
    return found;
  };
  name.addEventListener("input", () => { name.dataset.typed = "yes"; });
  from.addEventListener("change", describe);
  cancel.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = name.value.trim();
    const full = given.endsWith(".nnspec") ? given : `${given}.nnspec`;
    if (await make(full, chosen()?.text ?? "")) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  const label = (text, control) => {
    const element = made("label", "", {}, text);
    element.append(control);
    return element;
  };
  const buttons = made("div", "tools");
  buttons.append(create, cancel);
  form.append(title, label("Begin with ", from), about, label("File ", name), buttons);
  dialog.append(form);
  parent.append(dialog);
  describe();
  dialog.showModal();
  name.focus();
}
