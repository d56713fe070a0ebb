// Curves of runs over the steps of training, one chart a quantity; they grow while a run trains.
import { made } from "/static/web/workbench.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 480, HEIGHT = 260, LEFT = 56, RIGHT = 12, TOP = 12, BOTTOM = 38;
let clips = 0;
export const COLOURS = 8;

function drawn(kind, attributes, text) {
  const element = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Return round numbers from low to high, about `count` of them. */
export function ticks(low, high, count = 5) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-6; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}

function powers(low, high) {
  const found = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power += 1) {
    for (const factor of high - low < 2.5 ? [1, 2, 5] : [1]) found.push(power + Math.log10(factor));
  }
  return found.filter((at) => at >= low - 1e-9 && at <= high + 1e-9);
}

function inWords(value) {
  const size = Math.abs(value);
  if (size >= 10000) return value.toLocaleString("en", { notation: "compact" });
  return size > 0 && size < 0.001 ? value.toExponential(0) : String(Number(value.toPrecision(4)));
}

/** A quantity and the split of a metric: validation_accuracy is accuracy of validation. */
export function quantityOf(metric) {
  const found = metric.match(/^(training|validation|test)_(.+)$/);
  return found ? { split: found[1], quantity: found[2] } : { split: "", quantity: metric };
}

/**
 * Make a chart in an element. `draw(title, series, options)` draws series of { name, colour, look, points: [[step, value], …] };
 * `look` is "", "dashed" or "faint". Options: `log` for a logarithmic scale, `total` for the last step of the axis.
 */
export function createChart(parent) {
  const figure = made("figure", "chart");
  const caption = made("figcaption");
  const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const read = made("p", "chart-read");
  figure.append(caption, svg, read);
  parent.append(figure);
  const clip = `clip-${(clips += 1)}`;
  let last = null;
  svg.addEventListener("pointermove", (event) => point(event));
  svg.addEventListener("pointerleave", () => last?.rule.setAttribute("visibility", "hidden"));

  function point(event) {
    if (last === null) return;
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * WIDTH;
    const step = last.toStep(at);
    const near = last.series.filter(({ look }) => look !== "faint").map(({ name, points }) => {
      const found = points.reduce((best, one) => (Math.abs(one[0] - step) < Math.abs(best[0] - step) ? one : best));
      return { name, found };
    });
    if (near.length === 0) return;
    const shownStep = near.map(({ found }) => found[0]).reduce((a, b) => (Math.abs(a - step) < Math.abs(b - step) ? a : b));
    last.rule.setAttribute("visibility", "visible");
    last.rule.setAttribute("x1", last.x(shownStep));
    last.rule.setAttribute("x2", last.x(shownStep));
    read.textContent = `step ${shownStep.toLocaleString("en")}: ${near.map(({ name, found }) => `${name} ${inWords(found[1])}`).join(", ")}`;
  }

  return {
    figure,
    remove: () => figure.remove(),
    draw(title, given, { log = false, total = null } = {}) {
      caption.textContent = title;
      svg.setAttribute("aria-label", `${title} over training steps`);
      const value = (number) => (log ? Math.log10(number) : number);
      const series = given
        .map((one) => ({ ...one, points: one.points.filter(([, v]) => v !== null && (!log || v > 0)) }))
        .filter(({ points }) => points.length);
      svg.replaceChildren();
      last = null;
      const every = series.flatMap(({ points }) => points);
      if (every.length === 0) {
        svg.append(drawn("text", { x: LEFT, y: HEIGHT / 2 }, "No evaluation yet."));
        return;
      }
      const end = Math.max(total ?? 0, ...every.map(([step]) => step)) || 1;
      const solid = series.filter(({ look }) => look !== "faint").flatMap(({ points }) => points);
      const seen = (solid.length ? solid : every).map(([, v]) => value(v));
      let low = Math.min(...seen), high = Math.max(...seen);
      if (low === high) [low, high] = [low - 0.5, high + 0.5];
      const room = (high - low) * 0.05;
      [low, high] = [low - room, high + room];
      const x = (step) => LEFT + (step / end) * (WIDTH - LEFT - RIGHT);
      const y = (v) => HEIGHT - BOTTOM - ((value(v) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
      const rows = log ? powers(low, high).map((at) => 10 ** at) : ticks(low, high);
      for (const at of rows) {
        svg.append(drawn("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(at), y2: y(at) }));
        svg.append(drawn("text", { x: LEFT - 6, y: y(at) + 4, "text-anchor": "end" }, inWords(at)));
      }
      for (const at of ticks(0, end)) {
        svg.append(drawn("text", { x: x(at), y: HEIGHT - BOTTOM + 17, "text-anchor": "middle" }, inWords(at)));
      }
      svg.append(drawn("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM }));
      svg.append(drawn("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 5, "text-anchor": "middle" }, "steps"));
      const lines = drawn("g", { "clip-path": `url(#${clip})` });
      const inside = drawn("clipPath", { id: clip });
      inside.append(drawn("rect", { x: LEFT, y: TOP - 4, width: WIDTH - LEFT - RIGHT + 6, height: HEIGHT - TOP - BOTTOM + 4 }));
      svg.append(inside, lines);
      for (const { colour, look, points } of [...series].sort((a, b) => (b.look === "faint") - (a.look === "faint"))) {
        const line = points.map(([step, v]) => `${x(step).toFixed(1)},${y(v).toFixed(1)}`).join(" ");
        lines.append(drawn("polyline", { class: `line line-${colour % COLOURS} ${look}`, points: line }));
        const [step, v] = points[points.length - 1];
        if (look !== "faint") lines.append(drawn("circle", { class: `dot line-${colour % COLOURS}`, cx: x(step), cy: y(v), r: 3 }));
      }
      const rule = drawn("line", { class: "rule", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
      svg.append(rule);
      last = { series: series, rule, x, toStep: (at) => ((at - LEFT) / (WIDTH - LEFT - RIGHT)) * end };
    },
  };
}
