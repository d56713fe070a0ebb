// The view to draw in: the pen, what the network sees of it, what it believes, and where it looks, as the pen moves.
import { made } from "/static/web/workbench.js";
import { api } from "./api.js";
import { chooseRun, drawing } from "./chooser.js";
import { onScheme, picture, scaleOf, shown } from "./pictures.js";

const SIDE = 336; // pixels of the sheet
const PEN = 0.075; // of the side
const DIGIT = 20 / 28; // the part of a picture of MNIST that its digit fills

export function createDraw(section, studio) {
  const run = chooseRun(studio, changed);
  const tools = made("div", "tools");
  const centre = made("input", "", { type: "checkbox", id: "centre" });
  centre.checked = true;
  const centreLabel = made("label", "", { title: "As the digits of MNIST are: 20 of 28 pixels high, the middle of the ink in the middle" }, "centre the ink");
  centreLabel.prepend(centre);
  const dark = made("input", "", { type: "checkbox", id: "dark" });
  const darkLabel = made("label", "", {}, "dark ink on light");
  darkLabel.prepend(dark);
  const size = made("select", "", { "aria-label": "Window of the occlusion" });
  for (const side of [1, 2, 3, 5, 7]) size.append(new Option(`window ${side}x${side}`, side, false, side === 3));
  const clear = made("button", "", { type: "button", id: "clear" }, "Clear");
  tools.append(run.label, clear, centreLabel, darkLabel, size);
  const missing = made("p", "quiet");
  const board = made("div", "board");
  const sheet = made("canvas", "sheet", { id: "sheet", role: "img", "aria-label": "Draw here with the pointer" });
  Object.assign(sheet, { width: SIDE, height: SIDE });
  const seen = made("canvas", "pixels seen", { role: "img", "aria-label": "What the network sees, and where it looks" });
  const words = made("p", "belief-word", { role: "status", id: "belief" });
  const bars = made("table", "bars");
  const pen = figure(sheet, "Draw here");
  const look = figure(seen, "What the network sees");
  const lookCaption = look.querySelector("figcaption");
  const right = made("div", "belief");
  right.append(words, bars);
  board.append(pen, right, look);
  section.append(tools, missing, board);

  const ink = sheet.getContext("2d", { willReadFrequently: true });
  let about = null;
  let strokes = 0;
  let asked = 0; // the number of the strokes that the last question was of
  let asking = false;
  let last = null; // the last answer
  let point = null;

  function changed(found) {
    about = found;
    const possible = found?.draws === true;
    board.hidden = !possible;
    missing.textContent = possible ? "" : found === null ? "Train a network first: it is asked what it makes of your drawing." : found.failed ?? `${found.network} takes no pictures: choose a run that does.`;
    missing.hidden = possible;
    if (!possible) return;
    const [height, width] = found.shape;
    Object.assign(seen, { width, height });
    size.hidden = !found.explains;
    last = null;
    strokes += 1;
    follow();
  }

  function place(event) {
    const box = sheet.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  }

  function stroke(to) {
    ink.strokeStyle = "#fff";
    ink.lineWidth = PEN * SIDE;
    ink.lineCap = ink.lineJoin = "round";
    ink.beginPath();
    ink.moveTo(...point);
    ink.lineTo(...to);
    ink.stroke();
    point = to;
    strokes += 1;
    follow();
  }

  sheet.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    sheet.setPointerCapture(event.pointerId);
    point = place(event);
    stroke(point);
  });
  sheet.addEventListener("pointermove", (event) => {
    if (point === null) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const each of between.length ? between : [event]) stroke(place(each));
  });
  for (const end of ["pointerup", "pointercancel"]) sheet.addEventListener(end, () => { point = null; });
  clear.addEventListener("click", () => {
    wipe();
    strokes += 1;
    follow();
  });
  for (const control of [centre, dark, size]) control.addEventListener("change", () => { strokes += 1; follow(); });
  onScheme(drawSeen);

  function wipe() {
    ink.fillStyle = "#000";
    ink.fillRect(0, 0, SIDE, SIDE);
  }

  /** Return the box of the ink and its middle, null where there is none. */
  function extent() {
    const { data } = ink.getImageData(0, 0, SIDE, SIDE);
    let [left, top, right_, bottom, mass, x, y] = [SIDE, SIDE, -1, -1, 0, 0, 0];
    for (let row = 0; row < SIDE; row += 1) {
      for (let column = 0; column < SIDE; column += 1) {
        const value = data[4 * (row * SIDE + column)];
        if (value === 0) continue;
        [left, right_] = [Math.min(left, column), Math.max(right_, column)];
        [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
        mass += value;
        x += value * (column + 0.5);
        y += value * (row + 0.5);
      }
    }
    return mass === 0 ? null : { left, top, width: right_ - left + 1, height: bottom - top + 1, x: x / mass, y: y / mass };
  }

  /** Return a canvas of the network's size with the ink, and whether there is any. */
  function rendered() {
    const found = extent();
    const [height, width] = about.shape;
    let small = made("canvas");
    Object.assign(small, { width: SIDE, height: SIDE });
    let to = small.getContext("2d");
    to.fillStyle = "#000";
    to.fillRect(0, 0, SIDE, SIDE);
    if (found && centre.checked) {
      const scale = (DIGIT * SIDE) / Math.max(found.width, found.height);
      const x = within(SIDE / 2 - found.x * scale, found.left * scale, found.width * scale);
      const y = within(SIDE / 2 - found.y * scale, found.top * scale, found.height * scale);
      to.drawImage(sheet, 0, 0, SIDE, SIDE, x, y, SIDE * scale, SIDE * scale);
    } else {
      to.drawImage(sheet, 0, 0);
    }
    for (let side = SIDE; side > 2 * Math.max(height, width); side /= 2) small = halved(small); // a mean of pixels, not a choice
    const exact = made("canvas");
    Object.assign(exact, { width, height });
    to = exact.getContext("2d");
    to.imageSmoothingQuality = "high";
    to.drawImage(small, 0, 0, width, height);
    if (dark.checked) {
      to.globalCompositeOperation = "difference";
      to.fillStyle = "#fff";
      to.fillRect(0, 0, width, height);
    }
    return { canvas: exact, any: found !== null };
  }

  /** Return a shift that leaves the ink, from `start` on and `size` long, inside of the sheet. */
  function within(shift, start, size) {
    const edge = 0.05 * SIDE;
    return Math.min(Math.max(shift, edge - start), SIDE - edge - size - start);
  }

  function halved(canvas) {
    const half = made("canvas");
    Object.assign(half, { width: Math.ceil(canvas.width / 2), height: Math.ceil(canvas.height / 2) });
    half.getContext("2d").drawImage(canvas, 0, 0, half.width, half.height);
    return half;
  }

  /** Ask about the drawing as it is, one question at a time; strokes that come meanwhile lead to one more. */
  async function follow() {
    if (asking || about?.draws !== true) return;
    asking = true;
    while (asked !== strokes && about?.draws) {
      asked = strokes;
      const { canvas, any } = rendered();
      const png = any ? await new Promise((resolve) => canvas.toBlob(resolve, "image/png")) : null;
      Object.assign(drawing, { png, canvas: any ? canvas : null });
      for (const listen of drawing.listeners) listen();
      const of = studio.run;
      try {
        last = any ? { ...(await api.run(of, "belief", { window: size.value }, png)), canvas } : { canvas };
      } catch (error) {
        studio.notice("refused", error.message, [], "error");
        break;
      }
      if (of === studio.run) drawAnswer();
    }
    asking = false;
  }

  function drawAnswer() {
    drawSeen();
    const { outputs, probabilities } = last;
    bars.replaceChildren();
    if (!outputs) {
      words.textContent = "Draw, and the network says what it sees.";
      return;
    }
    if (Array.isArray(outputs.value?.[0])) { // an image for an image
      words.textContent = "The network answers with a picture:";
      const rows = outputs.value;
      const values = rows.flat(2);
      const scale = scaleOf({ low: Math.min(...values), high: Math.max(...values) });
      const at = (y, x) => (Array.isArray(rows[y][x]) ? rows[y][x][0] : rows[y][x]);
      bars.insertRow().insertCell().append(picture(rows.length, rows[0].length, at, scale, "The output of the network"));
      return;
    }
    if (!probabilities) {
      words.textContent = `${[outputs.value ?? outputs.label].flat().slice(0, 20).map((v) => (typeof v === "number" ? shown(v) : v)).join(", ")}`;
      return;
    }
    const best = probabilities.reduce((most, value, i) => (value > probabilities[most] ? i : most), 0);
    words.replaceChildren(made("strong", "", {}, about.classes[best]), ` ${percent(probabilities[best])}`);
    const order = about.classes.map((_, i) => i);
    if (order.length > 12) order.sort((a, b) => probabilities[b] - probabilities[a]).splice(12);
    for (const i of order) {
      const row = bars.insertRow();
      const bar = made("span", i === best ? "bar best" : "bar");
      bar.style.setProperty("--share", probabilities[i] ?? 0);
      const cell = made("td", "wide");
      cell.append(bar);
      row.append(made("th", "", { scope: "row" }, about.classes[i]), cell, made("td", "right", {}, percent(probabilities[i])));
    }
  }

  /** Draw what the network sees, and over it how much it believes less where a window covers it. */
  function drawSeen() {
    if (!last?.canvas) return;
    const to = seen.getContext("2d", { willReadFrequently: true });
    const { width, height } = seen;
    to.drawImage(last.canvas, 0, 0);
    const found = last.occlusion;
    lookCaption.textContent = "What the network sees";
    if (!found) return;
    const drops = found.map;
    const most = Math.max(...drops.flat().map((value) => Math.abs(value ?? 0)));
    const [rows, columns] = [drops.length, drops[0].length];
    const image = to.getImageData(0, 0, width, height);
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const value = drops[Math.min(rows - 1, Math.floor((y * rows) / height))][Math.min(columns - 1, Math.floor((x * columns) / width))] ?? 0;
        const part = most > 0.01 ? Math.min(1, Math.abs(value) / most) * 0.75 : 0;
        const colour = value >= 0 ? [255, 110, 50] : [70, 150, 255];
        const at = 4 * (y * width + x);
        for (let c = 0; c < 3; c += 1) image.data[at + c] = image.data[at + c] * (1 - part) + colour[c] * part;
      }
    }
    to.putImageData(image, 0, 0);
    lookCaption.textContent = most > 0.01
      ? `What the network sees; orange: covered there, its belief in ${found.label} falls, to ${percent(found.lowest)} at the least`
      : `What the network sees; no window of ${found.window}x${found.window} changes its belief in ${found.label}`;
  }

  wipe();
  changed(null);
  let stale = null;
  studio.on("run", () => shownNow() && run.look());
  studio.on("folder", () => {
    const now = studio.state.runs.find(({ name }) => name === studio.run);
    const mark = JSON.stringify([studio.run, now?.step, now?.state]);
    if (mark === stale) return;
    stale = mark;
    if (!shownNow()) return;
    if (about?.draws) { strokes += 1; follow(); } // the network has learnt meanwhile
    else run.again();
  });
  const shownNow = () => !section.hidden;
  return {
    show() {
      if (about?.failed) run.again();
      else run.look();
      strokes += 1;
      follow();
    },
  };
}

function percent(value) {
  return value === null ? "—" : `${(100 * value).toFixed(value > 0.995 || value < 0.1 ? 1 : 0)} %`;
}

function figure(canvas, caption) {
  const found = made("figure");
  found.append(canvas, made("figcaption", "", {}, caption));
  return found;
}
