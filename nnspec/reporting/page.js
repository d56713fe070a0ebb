"use strict";
// Tables that sort and curves that a reader picks. Every text from a run is set as text, never as markup.

function numberIn(text) {
  const found = text.replace(/,/g, "").match(/^[-+−]?\d*\.?\d+(e[-+]?\d+)?/i);
  return found ? Number(found[0].replace("−", "-")) : null;
}

function compared(a, b) {
  if (a === "" || b === "") return (a === "") - (b === "");
  const x = numberIn(a), y = numberIn(b);
  return x !== null && y !== null ? x - y : a.localeCompare(b, "en", { numeric: true });
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (head.tagName !== "TH") return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows];
      const cell = (row) => row.cells[column].textContent.trim();
      rows.sort((a, b) => (cell(a) === "" || cell(b) === "" || !down ? 1 : -1) * compared(cell(a), cell(b)));
      table.tBodies[0].append(...rows);
    });
  });
}

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 800, HEIGHT = 360, LEFT = 70, RIGHT = 40, TOP = 15, BOTTOM = 45, COLOURS = 8;

function drawn(kind, attributes, text) {
  const element = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function ticks(low, high) {
  const rough = (high - low) / 5 || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}

function shown(value) {
  return Math.abs(value) >= 1000 ? value.toLocaleString("en") : String(Number(value.toPrecision(4)));
}

function drawChart(svg, series, names, quantity) {
  svg.replaceChildren();
  svg.setAttribute("aria-label", `${quantity} over training steps of ${series.length} trials`);
  const points = series.flatMap(([, [steps, values]]) => steps.map((step, i) => [step, values[i]]));
  const finite = points.filter(([, value]) => value !== null);
  if (!finite.length) {
    svg.append(drawn("text", { x: LEFT, y: HEIGHT / 2 }, "Pick a trial that has values of this metric."));
    return;
  }
  const last = Math.max(...finite.map(([step]) => step)) || 1;
  let low = Math.min(...finite.map(([, value]) => value)), high = Math.max(...finite.map(([, value]) => value));
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const x = (step) => LEFT + (step / last) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  for (const value of ticks(low, high)) {
    svg.append(drawn("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }));
    svg.append(drawn("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, shown(value)));
  }
  for (const step of ticks(0, last)) {
    svg.append(drawn("text", { x: x(step), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle" }, shown(step)));
  }
  svg.append(drawn("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM }));
  svg.append(drawn("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, "training steps"));
  const ends = [];
  for (const [name, [steps, values]] of series) {
    const number = names.indexOf(name);
    const known = steps.map((step, i) => [step, values[i]]).filter(([, value]) => value !== null);
    if (!known.length) continue;
    const line = known.map(([step, value]) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    const look = `line line-${number % COLOURS}${number >= COLOURS ? " dashed" : ""}`;
    svg.append(drawn("polyline", { class: look, points: line }));
    const [step, value] = known[known.length - 1];
    svg.append(drawn("circle", { class: `dot line-${number % COLOURS}`, cx: x(step), cy: y(value), r: 3 }));
    ends.push({ at: x(step) + 7, height: y(value) + 4, text: String(number + 1) });
  }
  ends.sort((a, b) => a.height - b.height);
  ends.forEach((end, i) => {
    if (i) end.height = Math.max(end.height, ends[i - 1].height + 13);
    svg.append(drawn("text", { x: end.at, y: end.height }, end.text));
  });
}

function makeChart(box, index) {
  const { names, picked, quantities } = JSON.parse(box.dataset.chart);
  const label = document.createElement("label");
  label.textContent = "Metric ";
  const select = document.createElement("select");
  for (const quantity of Object.keys(quantities)) select.append(new Option(quantity.replaceAll("_", " "), quantity));
  label.append(select);
  const field = document.createElement("fieldset");
  const legend = document.createElement("legend");
  legend.textContent = "Trials, the best first";
  field.append(legend);
  const boxes = names.map((name, number) => {
    const row = document.createElement("label"), tick = document.createElement("input"), sign = document.createElement("span");
    tick.type = "checkbox";
    tick.checked = picked.includes(name);
    sign.className = `sign line-${number % COLOURS}`;
    sign.setAttribute("aria-hidden", "true");
    row.append(tick, sign, document.createTextNode(`${number + 1}. ${name}`));
    field.append(row);
    return tick;
  });
  const scroll = document.createElement("div");
  scroll.className = "scroll";
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", box.dataset.caption);
  const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", id: `chart-${index}` });
  scroll.append(svg);
  const draw = () => {
    const chosen = names.filter((_, i) => boxes[i].checked);
    const known = quantities[select.value];
    drawChart(svg, chosen.filter((name) => name in known).map((name) => [name, known[name]]), names, select.value);
  };
  box.append(label, scroll, field);
  box.addEventListener("change", draw);
  draw();
}

document.querySelectorAll("table[data-sorts]").forEach(makeSortable);
document.querySelectorAll("[data-chart]").forEach(makeChart);
