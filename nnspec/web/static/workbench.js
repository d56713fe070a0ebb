// A workbench for one spec: the editor, the mistakes, the totals, the graph and the list of layers. The pages share it.
import { createEditor, diagnosticElement } from "./editor.js";
import { drawGraph } from "./graph.js";

/**
 * Make a workbench inside an element.
 *
 * `backend` is that of `createEditor`, and so are the options `text`, `label`, `keys`, `onText`, `onFailure` and `onAnalysis`.
 * Returns an object: `editor`, `root`, `result()` (the last analysis, or null), `destroy()`.
 */
export function createWorkbench(parent, backend, options = {}) {
  const root = made("div", "nn-workbench");
  const left = made("div", "nn-left");
  const right = made("div", "nn-right");
  const place = made("div", "nn-editor");
  const status = made("p", "nn-status", { role: "status" });
  const problems = made("ul", "nn-problems", { "aria-label": "Errors and warnings" });
  const totals = made("dl", "nn-totals");
  const graph = made("div", "nn-graph-place");
  const layers = made("details", "nn-layers");
  left.append(place, status, problems);
  const stale = made("p", "nn-note nn-stale", { hidden: "" }, "The graph and the numbers are from before the error.");
  const sample = sampleForm((shape) => editor.setSample(shape));
  right.append(totals, stale, sample.form, graph, layers);
  root.append(left, right);
  parent.append(root);
  let last = null;
  let shown = null; // the drawn graph
  let drawnAs = ""; // what it shows

  const editor = createEditor(place, backend, {
    ...options,
    onAnalysis(result, text) {
      last = result;
      status.textContent = statusText(result);
      drawProblems(problems, result.diagnostics, editor);
      redraw(result);
      sample.show(result.open, editor.sample);
      stale.hidden = shown === null || result.graph !== null;
      root.classList.toggle("nn-old", !stale.hidden);
      options.onAnalysis?.(result, text);
    },
    onPlace: markHere,
  });

  function redraw(result) {
    if (result.graph === null && shown !== null && result.diagnostics.some(({ severity }) => severity === "error")) return;
    drawTotals(totals, result.totals);
    const next = JSON.stringify(result.graph);
    if (next === drawnAs && shown !== null) return;
    drawnAs = next;
    drawLayers(layers, result.graph);
    shown = null;
    if (result.graph === null) {
      graph.replaceChildren(result.missing ? made("p", "nn-note", {}, `No graph: ${result.missing}.`) : "");
    } else if (result.graph.parts.length === 0) {
      graph.replaceChildren(made("p", "nn-note", {}, `The graph of ${result.graph.drawn} layers is too large to draw.`));
    } else {
      shown = drawGraph(graph, result.graph, { onPick: pick });
      markHere(editor.view.state.selection.main.head);
    }
  }

  function pick(part) {
    if (part.from !== undefined) editor.select(part.from, part.to);
  }

  function markHere(offset) {
    if (shown === null || last === null) return;
    const around = last.stages.filter(({ from, to }) => from <= offset && offset <= to);
    around.sort((a, b) => a.to - a.from - (b.to - b.from));
    shown.mark(around[0]?.layers ?? []);
  }

  return {
    editor,
    root,
    result: () => last,
    destroy() {
      editor.destroy();
      root.remove();
    },
  };
}

/** Return a form that asks for the shape of a sample, and `show(asked, shape)`. `onShape` gets its numbers, or null. */
function sampleForm(onShape) {
  const form = made("form", "nn-sample");
  const label = made("label", "", {}, "A sample of the data has the shape ");
  const field = made("input", "", { size: "9", placeholder: "28x28x1", pattern: "\\s*\\d{1,6}(\\s*x\\s*\\d{1,6}){0,3}\\s*", autocomplete: "off" });
  label.append(field);
  form.append(label, made("button", "", {}, "Show"));
  form.hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const numbers = field.value.split("x").map(Number);
    onShape(field.value.trim() === "" || numbers.some((number) => !(number > 0)) ? null : numbers);
  });
  return {
    form,
    show(asked, shape) {
      form.hidden = !asked;
      if (document.activeElement !== field) field.value = shape === null ? "" : shape.join("x");
    },
  };
}

/** Return what an analysis found, in a sentence. */
export function statusText(result) {
  const errors = result.diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = result.diagnostics.length - errors;
  const counted = [
    errors ? `${errors} ${errors === 1 ? "error" : "errors"}` : "No errors",
    warnings ? `${warnings} ${warnings === 1 ? "warning" : "warnings"}` : "",
  ];
  return counted.filter(Boolean).join(", ");
}

/** Show diagnostics as a list, each with its place as a button and its fixes as buttons. */
export function drawProblems(list, diagnostics, editor) {
  list.replaceChildren(
    ...diagnostics.map((found) => {
      const item = made("li", `nn-problem nn-${found.severity}`);
      const place = made("button", "nn-place", { type: "button" }, `line ${found.line}`);
      place.addEventListener("click", () => editor.go(found));
      item.append(place, diagnosticElement(found));
      for (const fix of found.fixes) {
        const button = made("button", "nn-fix", { type: "button" }, fix.title);
        button.addEventListener("click", () => {
          editor.apply(fix);
          editor.focus();
        });
        item.append(button);
      }
      return item;
    }),
  );
}

/** Show the totals of a network as a list of terms; nothing if they are not known. */
export function drawTotals(list, totals) {
  if (totals === null) {
    list.replaceChildren();
    return;
  }
  const learned = totals.trainable === totals.parameters ? "" : ` (${counted(totals.trainable)} trainable)`;
  const rows = [
    ["layers", counted(totals.layers)],
    ["parameters", counted(totals.parameters) + learned],
    ["operations", `${inUnits(totals.flops, 1000, ["", " k", " M", " G", " T"])} a sample`, "floating-point operations of a forward pass"],
    ["memory", inUnits(totals.memory, 1024, [" bytes", " KiB", " MiB", " GiB", " TiB"]), `at least, to train with batches of ${totals.batch}`],
    ["sample", `${totals.input} → ${totals.output}`],
  ];
  list.replaceChildren(
    ...rows.map(([term, value, about]) => {
      const row = made("div", "", about ? { title: about } : {});
      row.append(made("dt", "", {}, term), made("dd", "", {}, value));
      return row;
    }),
  );
}

/** Show the layers of a graph as a table, in a details element. */
export function drawLayers(details, graph) {
  details.hidden = graph === null;
  if (graph === null) return;
  const open = details.open;
  const table = made("table");
  const head = made("tr");
  for (const title of ["layer", "reads", "output", "parameters", "operations"]) head.append(made("th", "", { scope: "col" }, title));
  table.append(made("thead"), made("tbody"));
  table.tHead.append(head);
  for (const layer of graph.layers) {
    const row = table.tBodies[0].insertRow();
    row.append(made("th", "", { scope: "row" }, layer.name));
    const cells = [layer.inputs.join(", "), layer.shape, counted(layer.parameters), counted(layer.flops)];
    cells.forEach((cell, number) => row.append(made("td", number > 1 ? "right" : "", {}, cell)));
  }
  const more = graph.more > 0 ? [made("p", "", {}, `and ${counted(graph.more)} more`)] : [];
  const scroll = made("div", "nn-scroll", { tabindex: "0", role: "region", "aria-label": "The layers" });
  scroll.append(table, ...more);
  details.replaceChildren(made("summary", "", {}, "The layers as a table"), scroll);
  details.open = open;
}

/** Return a whole number with its thousands apart. */
export function counted(number) {
  return number.toLocaleString("en");
}

/** Return a number with three digits and a unit. */
export function inUnits(number, base, units) {
  let power = 0;
  while (number >= base && power < units.length - 1) {
    number /= base;
    power += 1;
  }
  return (power === 0 ? counted(number) : number.toPrecision(3)) + units[power];
}

/** Return a new element with a class, attributes and a text. */
export function made(name, look = "", attributes = {}, text = "") {
  const element = document.createElement(name);
  if (look) element.className = look;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}
