// The graph of a network as SVG: a box for each layer, branches side by side, blocks and repeats in frames.
const SVG = "http://www.w3.org/2000/svg";
const LINE = 17; // pixels: the height of a line of text
const PAD = 8;
const GAP = 30; // between two parts: the arrow, with the shape on its right
const BESIDE = 6;
const APART = 20; // between branches
const MARGIN = 8;
const LETTERS = 13;
const SMALL = 11;
const LEAST = 0.75; // of its size: a graph that is wider than its place shrinks to this, then it scrolls

/**
 * Draw the graph of an analysis inside an element, in place of what it contains.
 *
 * `graph` is that of nnspec.spec_lang.editor.page. `onPick(part)` is called when a layer or a merge is clicked, or chosen with
 * the keyboard. Returns an object whose `mark(names)` marks the boxes of these layers.
 */
export function drawGraph(parent, graph, { onPick } = {}) {
  const top = { kind: "input", text: "input", shape: graph.input };
  const chain = sequence([pill(top, "g-input"), ...graph.parts.map(drawn)], true);
  const width = chain.width + 2 * MARGIN;
  const height = chain.height + 2 * MARGIN;
  const svg = element("svg", {
    viewBox: `0 0 ${width} ${height}`, width, height, class: "nn-graph", role: "group",
    "aria-label": `The graph of ${graph.title}, from input to output`,
  });
  const [frames, lines, parts] = [element("g"), element("g"), element("g")];
  const out = { frames, lines, parts, onPick, boxes: new Map() };
  svg.append(arrowHead(), frames, lines, parts);
  chain.draw(out, MARGIN + chain.axis, MARGIN);
  svg.style.minWidth = `${LEAST * width}px`;
  const first = parent.querySelector(".nn-graph") === null;
  parent.replaceChildren(svg);
  if (first) parent.scrollLeft = ((MARGIN + chain.axis) / width) * parent.scrollWidth - parent.clientWidth / 2;
  keyboard(svg);
  return {
    svg,
    mark(names) {
      const wanted = new Set(names);
      for (const [name, boxes] of out.boxes) {
        boxes.forEach((box) => box.classList.toggle("marked", wanted.has(name)));
      }
    },
  };
}

function drawn(part) {
  if (part.kind === "layer") return box(part);
  return part.kind === "frame" ? framed(part) : fork(part);
}

function box(part) {
  const width = Math.max(measured(part.text, LETTERS), measured(part.weights, SMALL)) + 2 * PAD;
  const height = LINE * (part.weights ? 2 : 1) + 1.2 * PAD;
  return {
    width, height, axis: width / 2, shape: part.shape, headed: true,
    draw(out, x, y) {
      const group = pickable(out, part, `${part.text} ${part.weights}`.trim() + `, output ${part.shape}`);
      group.append(rectangle(x - width / 2, y, width, height, part.weights ? "g-box g-learns" : "g-box"));
      group.append(text(part.text, x, y + 0.6 * PAD + LINE / 2, "g-text"));
      if (part.weights) group.append(" ", text(part.weights, x, y + 0.6 * PAD + 1.5 * LINE, "g-small"));
      out.parts.append(group);
    },
  };
}

function pill(part, look) {
  const width = measured(part.text, SMALL) + 2.5 * PAD;
  const height = LINE + 0.5 * PAD;
  return {
    width, height, axis: width / 2, shape: part.shape, headed: true,
    draw(out, x, y) {
      const group = part.name === undefined ? element("g") : pickable(out, part, `${part.text}, output ${part.shape}`);
      group.append(rectangle(x - width / 2, y, width, height, look, height / 2), text(part.text, x, y + height / 2, "g-small g-ink"));
      out.parts.append(group);
    },
  };
}

function sequence(parts, ends) {
  const axis = Math.max(...parts.map((part) => part.axis));
  const beside = (ends ? parts : parts.slice(0, -1)).map((part) => BESIDE + measured(part.shape, SMALL));
  const right = Math.max(...parts.map((part) => part.width - part.axis), ...beside, 0);
  const height = parts.reduce((sum, part) => sum + part.height, 0) + GAP * (parts.length - (ends ? 0 : 1));
  return {
    width: axis + right, height, axis, shape: parts.at(-1).shape, headed: parts[0].headed,
    draw(out, x, y) {
      parts.forEach((part, number) => {
        part.draw(out, x, y);
        y += part.height;
        const next = parts[number + 1];
        if (next === undefined && !ends) return;
        line(out, [[x, y], [x, y + GAP]], next === undefined || next.headed);
        out.parts.append(text(part.shape, x + BESIDE, y + 0.42 * GAP, "g-small g-aside"));
        y += GAP;
      });
    },
  };
}

function framed(frame) {
  const inside = sequence(frame.parts.map(drawn), false);
  const axis = Math.max(inside.axis, measured(frame.title, SMALL) + BESIDE) + PAD;
  const width = axis + inside.width - inside.axis + PAD;
  const height = inside.height + LINE + 2.5 * PAD;
  return {
    width, height, axis, shape: frame.shape, headed: false,
    draw(out, x, y) {
      const top = y + LINE + 1.5 * PAD;
      out.frames.append(rectangle(x - axis, y, width, height, "g-frame"));
      out.parts.append(text(frame.title, x - axis + PAD, y + 0.5 * PAD + LINE / 2, "g-small g-title"));
      line(out, [[x, y], [x, top]], inside.headed);
      inside.draw(out, x, top);
      line(out, [[x, y + height - PAD], [x, y + height]], false);
    },
  };
}

function fork(part) {
  const branches = part.branches.map((branch) => (branch.length > 0 ? sequence(branch.map(drawn), false) : null));
  const joint = pill({ ...part, text: part.joint }, "g-merge");
  const skip = measured("skip", SMALL) + 2 * BESIDE;
  const widths = branches.map((branch) =>
    branch === null ? skip : Math.max(branch.width, branch.axis + BESIDE + measured(branch.shape, SMALL)),
  );
  const places = [];
  let reached = 0;
  branches.forEach((branch, number) => {
    places.push(reached + (branch === null ? BESIDE : branch.axis));
    reached += widths[number] + APART;
  });
  const middle = (places[0] + places.at(-1)) / 2;
  const left = Math.max(0, joint.axis - middle);
  const axis = left + middle;
  const tallest = Math.max(0, ...branches.map((branch) => branch?.height ?? 0));
  return {
    width: Math.max(left + reached - APART, axis + joint.axis),
    height: 0.6 * GAP + tallest + GAP + 0.6 * GAP + joint.height,
    axis, shape: part.shape, headed: false,
    draw(out, x, y) {
      const first = x - middle;
      const parting = y + 0.25 * GAP;
      const top = y + 0.6 * GAP;
      const meeting = top + tallest + GAP;
      line(out, [[x, y], [x, parting]], false);
      for (const bar of [parting, meeting]) line(out, [[first + places[0], bar], [first + places.at(-1), bar]], false);
      branches.forEach((branch, number) => {
        const at = first + places[number];
        if (branch === null) {
          line(out, [[at, parting], [at, meeting]], false);
          out.parts.append(text("skip", at + BESIDE, (parting + meeting) / 2, "g-small g-aside"));
          return;
        }
        line(out, [[at, parting], [at, top]], branch.headed);
        branch.draw(out, at, top);
        line(out, [[at, top + branch.height], [at, meeting]], false);
        out.parts.append(text(branch.shape, at + BESIDE, top + branch.height + 0.5 * GAP, "g-small g-aside"));
      });
      line(out, [[x, meeting], [x, meeting + 0.6 * GAP]], true);
      joint.draw(out, x, meeting + 0.6 * GAP);
    },
  };
}

function pickable(out, part, label) {
  const group = element("g", { class: "g-part", tabindex: "-1", role: "button", "aria-label": label });
  out.boxes.set(part.name, [...(out.boxes.get(part.name) ?? []), group]);
  const pick = () => out.onPick?.(part);
  group.addEventListener("click", pick);
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    pick();
  });
  return group;
}

/** One stop of the tabulator for the whole graph; the arrows move among its boxes in the order of the network. */
function keyboard(svg) {
  const parts = [...svg.querySelectorAll(".g-part")];
  if (parts.length === 0) return;
  parts[0].setAttribute("tabindex", "0");
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
  svg.addEventListener("keydown", (event) => {
    const at = parts.indexOf(document.activeElement);
    if (!(event.key in steps) || at < 0) return;
    event.preventDefault();
    const to = Math.min(Math.max(at + steps[event.key], 0), parts.length - 1);
    parts[at].setAttribute("tabindex", "-1");
    parts[to].setAttribute("tabindex", "0");
    parts[to].focus();
  });
}

function element(name, attributes = {}) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function rectangle(x, y, width, height, look, radius = 5) {
  return element("rect", { x, y, width, height, rx: radius, class: look });
}

function text(content, x, y, look) {
  const made = element("text", { x, y, class: look });
  made.textContent = content;
  return made;
}

function line(out, points, headed) {
  const attributes = { points: points.map((point) => point.join(",")).join(" "), class: "g-line" };
  out.lines.append(element("polyline", headed ? { ...attributes, "marker-end": "url(#g-arrow)" } : attributes));
}

function arrowHead() {
  const defs = element("defs");
  const marker = element("marker", {
    id: "g-arrow", viewBox: "0 0 8 8", refX: 7.5, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto",
    markerUnits: "userSpaceOnUse",
  });
  marker.append(element("path", { d: "M0,0.5 L8,4 L0,7.5 Z", class: "g-head" }));
  defs.append(marker);
  return defs;
}

let ruler = null;
const widths = new Map();

/** Return the width of a text in pixels, in the font of the graph. */
function measured(content, size) {
  if (!content) return 0;
  const key = `${size} ${content}`;
  if (!widths.has(key)) {
    ruler ??= document.createElement("canvas").getContext("2d");
    ruler.font = `${size}px ${getComputedStyle(document.documentElement).getPropertyValue("--letters") || "sans-serif"}`;
    if (widths.size > 5000) widths.clear();
    widths.set(key, ruler.measureText(content).width);
  }
  return widths.get(key);
}
