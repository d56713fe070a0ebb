// The view of training: curves and first-layer weights as they form, the runs of the folder, and two of them compared.
import { made } from "/static/web/workbench.js";
import { api } from "./api.js";
import { COLOURS, createChart, quantityOf } from "./charts.js";
import { onScheme, shown, weightPictures } from "./pictures.js";

const STATES = { done: "done", diverged: "diverged", unfinished: "not finished" };
const SPLITS = ["training", "validation", "test", ""];

export function createRuns(section, studio) {
  const live = made("div", "live");
  const curves = made("div", "curves");
  const tools = made("div", "tools");
  const log = made("input", "", { type: "checkbox", id: "log" });
  const logLabel = made("label", "", {}, "logarithmic loss");
  logLabel.prepend(log);
  tools.append(logLabel);
  const charts = made("div", "charts");
  curves.append(tools, charts);
  const weights = made("figure", "weights");
  const weightsCaption = made("figcaption");
  const tiles = made("div", "tiles");
  weights.append(weightsCaption, tiles);
  live.append(curves, weights);
  const problem = made("p", "problem", { role: "status" });
  const begins = made("p", "quiet", { role: "status" }, "The training begins: the data are read, the network is compiled.");
  const notes = made("ul", "notes", { "aria-label": "Notes on this training" });
  const table = made("table");
  const scroll = made("div", "scroll", { tabindex: "0", role: "region", "aria-label": "Runs" });
  scroll.append(table);
  const empty = made("p", "quiet", {}, "No run yet: write a spec and press Train.");
  const differences = made("div", "differences");
  section.append(problem, begins, live, notes, made("h2", "", {}, "Runs"), empty, scroll, differences);

  const picked = new Map(); // run → colour
  const histories = new Map(); // run → metric → [steps, values]
  const drawnCharts = new Map(); // quantity → chart
  let shownWeights = null;

  log.addEventListener("change", draw);
  onScheme(() => drawWeights(shownWeights));

  function pick(run) {
    const used = new Set(picked.values());
    let colour = 0;
    while (used.has(colour) && colour < COLOURS - 1) colour += 1;
    picked.set(run, colour);
    if (saved(run)) return fetchHistory(run);
    histories.set(run, {}); // it begins: its evaluations are told
    draw();
    return undefined;
  }

  const saved = (run) => studio.state.runs.some(({ name }) => name === run);

  async function fetchHistory(run) {
    const found = await api.run(run, "history").catch(() => null);
    if (found !== null) {
      delete found.format_version;
      histories.set(run, found);
    }
    draw();
  }

  function draw() {
    const quantities = new Map();
    for (const [run, colour] of picked) {
      const metrics = Object.entries(histories.get(run) ?? {}).map(([metric, points]) => ({ ...quantityOf(metric), points }));
      metrics.sort((a, b) => SPLITS.indexOf(a.split) - SPLITS.indexOf(b.split));
      for (const { split, quantity, points: [steps, values] } of metrics) {
        const series = quantities.get(quantity) ?? quantities.set(quantity, []).get(quantity);
        const name = [picked.size > 1 ? short(run) : "", split].filter(Boolean).join(" ") || quantity;
        const look = split === "training" ? "dashed" : "";
        series.push({ name, colour, look, points: steps.map((step, i) => [step, values[i]]) });
      }
    }
    const { training } = studio.state;
    if (training?.losses?.length && picked.has(training.run)) {
      const series = quantities.get("loss") ?? quantities.set("loss", []).get("loss");
      series.push({ name: "each step", colour: picked.get(training.run), look: "faint", points: training.losses });
    }
    if (quantities.size === 0 && picked.size) quantities.set("loss", []);
    for (const [quantity, chart] of drawnCharts) {
      if (!quantities.has(quantity)) {
        chart.remove();
        drawnCharts.delete(quantity);
      }
    }
    const total = studio.training() && picked.has(training.run) ? training.total : null;
    for (const [quantity, series] of quantities) {
      if (!drawnCharts.has(quantity)) drawnCharts.set(quantity, createChart(charts));
      const title = quantity.replaceAll("_", " ");
      const splits = series.some(({ look }) => look === "dashed") ? ": validation solid, training dashed" : "";
      drawnCharts.get(quantity).draw(title + splits, series, { log: log.checked && quantity.endsWith("loss"), total });
    }
    live.hidden = picked.size === 0;
  }

  function drawTable() {
    const { runs } = studio.state;
    empty.hidden = runs.length > 0;
    scroll.hidden = runs.length === 0;
    const every = new Set(runs.flatMap(({ metrics }) => Object.keys(metrics)));
    const columns = [...every].filter((name) => !name.startsWith("training_"));
    const head = made("tr");
    for (const title of ["show", "run", "state", "steps", ...columns.map((name) => name.replaceAll("_", " ")), ""]) {
      head.append(title ? made("th", "", { scope: "col" }, title) : made("td"));
    }
    const body = made("tbody");
    for (const run of runs) body.append(row(run, columns));
    const focused = document.activeElement?.id;
    table.replaceChildren(made("thead"), body);
    table.tHead.append(head);
    if (focused) document.getElementById(focused)?.focus();
  }

  function row(run, columns) {
    const line = made("tr", run.name === studio.run ? "chosen" : "");
    const { training } = studio.state;
    const trains = studio.training() && training.run === run.name;
    const box = made("input", "", { type: "checkbox", id: `pick-${run.name}`, "aria-label": `Show ${run.name}` });
    box.checked = picked.has(run.name);
    box.addEventListener("change", () => {
      if (box.checked) pick(run.name);
      else picked.delete(run.name);
      draw();
      drawTable();
      compare();
    });
    const first = made("td");
    first.append(box);
    if (picked.has(run.name)) first.append(made("span", `sign line-${picked.get(run.name)}`));
    const name = made("button", "link", { type: "button", id: `look-${run.name}`, title: "Look at this run in every view" }, run.name);
    name.addEventListener("click", () => {
      studio.choose(run.name);
      if (!picked.has(run.name)) pick(run.name);
      drawTable();
    });
    const second = made("th", "", { scope: "row" });
    second.append(name);
    const state = trains ? "training" : STATES[run.state];
    const step = (trains ? training.step : run.step) ?? 0;
    line.append(first, second, made("td", "", run.reason ? { title: run.reason } : {}, state), made("td", "right", {}, step.toLocaleString("en")));
    for (const metric of columns) line.append(made("td", "right", {}, metric in run.metrics ? shown(run.metrics[metric]) : ""));
    const last = made("td");
    if (run.resumable && !trains) {
      const resume = made("button", "", { type: "button", id: `resume-${run.name}` }, "Resume");
      resume.disabled = studio.training();
      resume.addEventListener("click", () => studio.attempt(() => api.resume(run.name)));
      last.append(resume);
    }
    line.append(last);
    return line;
  }

  /** Show what differs between the specs of two runs. */
  async function compare() {
    const [first, second] = picked.keys();
    differences.replaceChildren();
    if (picked.size !== 2) return;
    const found = await api.run(first, "differences", { other: second }).catch((error) => ({ error: error.message }));
    if ([...picked.keys()].join() !== [first, second].join()) return;
    differences.replaceChildren(made("h2", "", {}, `${short(first)} and ${short(second)}`));
    if (found.error || found.length === 0) {
      differences.append(made("p", "quiet", {}, found.error ?? "Their specs are the same."));
      return;
    }
    const rows = made("table");
    const head = made("thead");
    const line = made("tr");
    for (const title of ["setting", short(first), short(second)]) line.append(made("th", "", { scope: "col" }, title));
    head.append(line);
    rows.append(head, made("tbody"));
    for (const { name, before, after } of found) {
      const each = rows.tBodies[0].insertRow();
      each.append(made("th", "", { scope: "row" }, name), made("td", "", {}, before ?? "—"), made("td", "", {}, after ?? "—"));
    }
    const around = made("div", "scroll", { tabindex: "0", role: "region", "aria-label": "Differences" });
    around.append(rows);
    differences.append(around);
  }

  function drawWeights(found) {
    shownWeights = found;
    weights.hidden = found === null;
    if (found === null) return;
    const [count] = found.shape;
    const of = found.whole ? (count < found.count ? `, ${count} of ${found.count}` : "") : "";
    const whose = picked.size > 1 ? ` in ${short(studio.run)}` : "";
    weightsCaption.textContent = `Weights of ${found.layer}${whose}${of}, up to ±${shown(found.limit)}: blue below 0, red above`;
    tiles.classList.toggle("few", count <= 16);
    tiles.replaceChildren(...weightPictures(found));
  }

  async function fetchWeights() {
    const run = studio.run;
    const found = !saved(run) ? null : await api.run(run, "weights").catch(() => null);
    if (run === studio.run) drawWeights(found && "tiles" in found ? found : null);
  }

  function drawTraining() {
    const { training } = studio.state;
    begins.hidden = training?.phase !== "starting";
    problem.textContent = training?.error ?? "";
    problem.hidden = !training?.error;
    const said = training && (studio.training() || training.run === studio.run) ? training.notes : [];
    notes.replaceChildren(...said.map(({ kind, text }) => made("li", kind, {}, text)));
  }

  let phase = null;
  studio.on("run", (run) => {
    picked.clear();
    if (run !== null) pick(run);
    else draw();
    fetchWeights();
    drawTable();
    compare();
    drawTraining();
  });
  studio.on("training", () => {
    const now = studio.state.training?.phase ?? null;
    if (now === "starting" && phase !== "starting") drawWeights(null);
    const run = studio.state.training?.run;
    if (now !== phase && saved(run) && picked.has(run)) fetchHistory(run);
    if (now !== phase) drawTable();
    phase = now;
    draw();
    drawTraining();
  });
  studio.on("evaluation", ({ run, step, metrics }) => {
    const history = histories.get(run);
    if (!history) return;
    for (const [metric, value] of Object.entries(metrics)) {
      const [steps, values] = history[metric] ?? (history[metric] = [[], []]);
      if (steps.length && steps[steps.length - 1] >= step) continue;
      steps.push(step);
      values.push(value);
    }
    draw();
  });
  studio.on("weights", ({ run, weights: found }) => run === studio.run && found && drawWeights(found));
  studio.on("folder", () => {
    for (const run of [...picked.keys()]) {
      if (!saved(run) && studio.state.training?.run !== run) picked.delete(run);
    }
    drawTable();
  });
  studio.on("state", () => {
    for (const run of picked.keys()) if (saved(run)) fetchHistory(run);
    drawTable();
    drawTraining();
    fetchWeights();
  });
  drawTable();
  draw();
  drawWeights(null);
  drawTraining();
  return { show: draw };
}

/** Return the name of a run without runs/. */
export function short(run) {
  return run.replace(/^runs\//, "");
}
