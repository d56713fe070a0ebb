// What the views share that ask a network: which run it is, and which sample, of the data or drawn.
import { made } from "/static/web/workbench.js";
import { api } from "./api.js";
import { decoded, photo } from "./pictures.js";

/** What is drawn, as a PNG of the network's size; the views look at it as at a sample. */
export const drawing = { png: null, canvas: null, listeners: [] };

/** Make a choice of the run. `about()` is what the studio knows of its network, or null; `changed` is called with it. */
export function chooseRun(studio, changed) {
  const label = made("label", "", {}, "Run ");
  const select = made("select");
  label.append(select);
  let about = null;
  let asked = null;

  function draw() {
    const names = studio.state.runs.map(({ name }) => name);
    select.replaceChildren(...names.map((name) => new Option(name, name, false, name === studio.run)));
    if (names.length === 0) select.append(new Option("no run yet"));
    select.disabled = names.length === 0;
  }

  async function look() {
    draw();
    const run = studio.run;
    if (run === asked) return;
    asked = run;
    about = null;
    if (run !== null) {
      changed({ failed: "Opening the run…", draws: false });
      const found = await api.run(run, "about").catch((error) => ({ failed: error.message }));
      if (run !== studio.run) return;
      about = found;
      if (found.failed) asked = null; // asked again at the next change: it may have no checkpoint yet
    }
    changed(about);
  }

  select.addEventListener("change", () => studio.choose(select.value));
  studio.on("run", draw);
  studio.on("folder", draw);
  studio.on("state", draw);
  draw();
  return { label, about: () => about, look, again: () => { asked = null; return look(); } };
}

/** Make a choice of a sample: pictures of a split, or the drawing. `changed` is called with { split, index, png, target }. */
export function chooseSample(studio, changed) {
  const root = made("div", "chooser");
  const tools = made("div", "tools");
  const split = made("select", "", { "aria-label": "Split" });
  const mistakes = made("input", "", { type: "checkbox" });
  const mistakesLabel = made("label", "", {}, "only mistakes");
  mistakesLabel.prepend(mistakes);
  const back = made("button", "", { type: "button", "aria-label": "Samples before these" }, "‹");
  const where = made("span", "quiet");
  const on = made("button", "", { type: "button", "aria-label": "Samples after these" }, "›");
  const list = made("div", "samples", { role: "group", "aria-label": "Samples" });
  tools.append(split, mistakesLabel, back, where, on);
  root.append(tools, list);
  let about = null;
  let start = 0;
  let chosen = null;
  let count = 24;
  let fetches = 0;

  async function fetch(choose = false) {
    const mine = (fetches += 1);
    const run = studio.run;
    const query = { split: split.value, start, count, mistakes: mistakes.checked ? 1 : 0 };
    const found = about === null || about.failed ? { error: about?.failed ?? "" }
      : await api.run(run, "samples", query).catch((error) => ({ error: error.message }));
    if (mine !== fetches || run !== studio.run) return;
    tools.hidden = "error" in found;
    if ("error" in found) { // such as data that are not here: a drawing can be looked at all the same
      list.replaceChildren(...(drawing.png && about?.draws ? [drawn()] : []));
      if (found.error) list.append(made("p", "quiet", {}, found.error));
      return;
    }
    if (split.options.length === 0) split.append(...found.splits.map((name) => new Option(name, name)));
    split.value = found.split;
    const end = Math.min(found.total, start + found.samples.length);
    where.textContent = found.total ? `${start} to ${end - 1} of ${found.total.toLocaleString("en")}` : "none";
    back.disabled = start === 0;
    on.disabled = end >= found.total;
    const made_ = found.samples.map((sample) => item(sample, found.split));
    list.replaceChildren(...(drawing.png && about.draws ? [drawn()] : []), ...made_);
    if ((choose || chosen === null) && made_.length) made_[0].click();
  }

  function drawn() {
    const button = made("button", "sample", { type: "button" });
    const copy = made("canvas", "pixels", { role: "img", "aria-label": "The drawing" });
    Object.assign(copy, { width: drawing.canvas.width, height: drawing.canvas.height });
    copy.getContext("2d").drawImage(drawing.canvas, 0, 0);
    button.append(copy, made("span", "", {}, "drawn"));
    button.classList.toggle("chosen", chosen !== null && chosen.png !== undefined);
    button.addEventListener("click", () => take(button, { png: drawing.png, target: null, name: "the drawing" }));
    return button;
  }

  function item(sample, name) {
    const wrong = sample.predicted !== undefined && typeof sample.predicted === "string" && sample.predicted !== sample.target;
    const button = made("button", wrong ? "sample wrong" : "sample", { type: "button", title: `sample ${sample.index}` });
    button.classList.toggle("chosen", chosen !== null && chosen.index === sample.index && chosen.split === name);
    const values = decoded(sample.values);
    const image = values.shape.length === 3 || (values.shape.length === 2 && about.draws);
    if (image) button.append(photo(values.shape.length === 2 ? { ...values, sent: [...values.sent, 1] } : values, about.limits, `sample ${sample.index}`));
    const plain = !Array.isArray(sample.predicted) && sample.predicted !== undefined;
    const target = wrong ? `${sample.target}, read as ${sample.predicted}` : plain ? sample.target : "";
    const words = [image && target ? "" : `#${sample.index}`, sample.text ?? "", target].filter(Boolean).join(" · ");
    button.append(made("span", "", {}, words));
    button.addEventListener("click", () => take(button, { split: name, index: sample.index, target: sample.target, name: `sample ${sample.index} of ${name}` }));
    return button;
  }

  function take(button, sample) {
    for (const each of list.children) each.classList.toggle("chosen", each === button);
    chosen = sample;
    changed(sample);
  }

  const begin = () => {
    start = 0;
    return fetch(true);
  };
  split.addEventListener("change", begin);
  mistakes.addEventListener("change", begin);
  back.addEventListener("click", () => { start = Math.max(0, start - count); fetch(); });
  on.addEventListener("click", () => { start += count; fetch(); });
  drawing.listeners.push(() => root.offsetParent !== null && fetch());

  return {
    root,
    chosen: () => chosen,
    /** Show the samples of another network. */
    async of(found) {
      about = found;
      count = found?.draws ? 24 : 12;
      chosen = null;
      start = 0;
      split.replaceChildren();
      list.replaceChildren(...(found === null ? [] : [made("p", "quiet", {}, "Reading the data…")]));
      mistakesLabel.hidden = !found?.classes;
      await fetch(true);
    },
    refresh: () => fetch(),
  };
}
