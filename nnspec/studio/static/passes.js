// The view of one sample's two passes, a step at a time: the numbers of each layer, and the slopes of the loss.
import { made } from "/static/web/workbench.js";
import { api } from "./api.js";
import { chooseRun, chooseSample } from "./chooser.js";
import { maps } from "./features.js";
import { decoded, layout, onScheme, scaleOf, shade, shown, spread } from "./pictures.js";

const SECONDS = 1.6; // a step, when it plays
const MOST_ROWS = 40;
const MOST_COLUMNS = 40;

export function createPasses(section, studio) {
  const sample = chooseSample(studio, ask);
  const run = chooseRun(studio, (about) => {
    panel.hidden = true;
    missing.hidden = about !== null;
    return sample.of(about);
  });
  const tools = made("div", "tools");
  const label = made("select", "", { "aria-label": "What the drawing is of" });
  label.hidden = true;
  tools.append(run.label);
  const missing = made("p", "quiet", {}, "Train a network first: then a sample can be followed through it.");
  const panel = made("div", "passes");
  const steps = made("ol", "steps", { "aria-label": "The steps of both passes" });
  const main = made("div", "step");
  const walk = made("div", "tools walk");
  const buttons = [["first", "«", () => to(0)], ["back", "‹", () => to(at - 1)], ["play", "Play", play], ["next", "›", () => to(at + 1)], ["last", "»", () => to(all.length - 1)]];
  const names = { first: "First step", back: "Step back", play: "Play", next: "Next step", last: "Last step" };
  for (const [name, sign, action] of buttons) {
    const button = made("button", "", { type: "button", "aria-label": names[name], id: `step-${name}` }, sign);
    button.addEventListener("click", action);
    walk.append(button);
  }
  const where = made("span", "quiet", { role: "status", id: "step-where" });
  walk.append(where, label);
  panel.append(walk, steps, main);
  panel.hidden = true;
  section.append(tools, missing, sample.root, panel);

  let found = null;
  let all = []; // the steps: { way, stage } and { way: "loss" }
  let at = 0;
  let playing = null;
  let channel = 0;

  async function ask(chosen) {
    const of = studio.run;
    label.hidden = !chosen.png;
    const query = chosen.png ? { label: label.value } : { split: chosen.split, index: chosen.index };
    const answer = await studio.attempt(() => api.run(of, "trace", query, chosen.png ?? null));
    if (answer === undefined || of !== studio.run || chosen !== sample.chosen()) return;
    found = answer;
    if (chosen.png && label.options.length === 0) {
      label.append(new Option("its class is not known", ""), ...(answer.classes ?? []).map((name) => new Option(`it is ${name}`, name)));
    }
    for (const stage of found.stages) {
      stage.output = decoded(stage.output);
      stage.gradient = decoded(stage.gradient);
      for (const parameter of stage.parameters) Object.assign(parameter, { value: decoded(parameter.value), gradient: decoded(parameter.gradient) });
    }
    all = found.stages.map((stage) => ({ way: "forward", stage }));
    if (found.loss !== null) {
      const back = found.stages.filter(({ gradient, parameters }) => gradient !== null || parameters.some((one) => one.gradient !== null));
      all.push({ way: "loss" }, ...[...back].reverse().map((stage) => ({ way: "backward", stage })));
    }
    panel.hidden = false;
    drawSteps();
    to(Math.min(at, all.length - 1));
  }

  function drawSteps() {
    steps.replaceChildren(...all.map(({ way, stage }, number) => {
      const item = made("li", way);
      const sign = { forward: "↓", loss: "=", backward: "↑" }[way];
      const button = made("button", "", { type: "button" }, `${sign} ${way === "loss" ? `loss ${shown(found.loss)}` : stage.name}`);
      button.addEventListener("click", () => to(number));
      item.append(button);
      return item;
    }));
  }

  function to(number) {
    if (all.length === 0) return;
    const next = Math.max(0, Math.min(number, all.length - 1));
    if (next !== at) channel = 0;
    at = next;
    if (at === all.length - 1) halt();
    [...steps.children].forEach((item, i) => {
      item.classList.toggle("chosen", i === at);
      item.classList.toggle("done", i < at);
      item.firstChild.toggleAttribute("aria-current", i === at);
    });
    const here = steps.children[at];
    steps.scrollTo({ top: here.offsetTop - steps.clientHeight / 2, left: here.offsetLeft - steps.clientWidth / 2 });
    draw();
  }

  function draw() {
    if (all.length === 0) return;
    const { way, stage } = all[at];
    where.textContent = `step ${at + 1} of ${all.length}`;
    main.replaceChildren();
    if (way === "loss") return drawLoss();
    const title = made("h2", "", {}, way === "forward" ? `Forward: ${stage.name}` : `Backward: ${stage.name}`);
    main.append(title, made("p", "", {}, way === "forward" ? forwardWords(stage) : backwardWords(stage)));
    const array = way === "forward" ? stage.output : stage.gradient;
    if (array !== null) main.append(block(way === "forward" ? "Its output" : "Slope of the loss with respect to its output", array, stage.name));
    for (const { name, value, gradient } of stage.parameters) {
      const shownArray = way === "forward" ? value : gradient;
      if (shownArray !== null) main.append(block(way === "forward" ? `Its ${name}` : `Slope of the loss with respect to its ${name}`, shownArray, stage.name));
    }
    return undefined;
  }

  function drawLoss() {
    const output = found.stages[found.stages.length - 1].output;
    main.append(made("h2", "", {}, `Loss ${shown(found.loss)}`));
    const given = output.shape.length === 1 && output.shape[0] === found.classes?.length ? output.numbers[found.classes.indexOf(found.target)] : null;
    main.append(made("p", "", {}, given === null ? `The target is ${found.target}. From here on the pass goes back: each layer hears how the loss depends on what it gave.`
      : `The target is ${found.target}, to which the network gave ${shown(given)}. From here on the pass goes back: each layer hears how the loss depends on what it gave.`));
    main.append(block("The output of the network", output, found.stages[found.stages.length - 1].name));
  }

  function forwardWords(stage) {
    const size = stage.output.shape.join("x") || "one number";
    if (stage.inputs.length === 0) return `The sample as the network sees it: ${size}.`;
    return `${stage.text} reads ${stage.inputs.join(" and ")} and gives ${size}.`;
  }

  function backwardWords(stage) {
    const learns = stage.parameters.some(({ gradient }) => gradient !== null);
    const own = learns ? ` An optimizer moves its parameters against their slopes.` : "";
    return stage.gradient === null ? `${stage.text}: its parameters.${own}` : `${stage.text}: how the loss changes with each number that it gave.${own}`;
  }

  /** Return an array as pictures, and its numbers as a table, one channel at a time. */
  function block(title, array, name) {
    const figure = made("figure", "block");
    const caption = made("figcaption");
    caption.append(made("strong", "", {}, title), made("span", "quiet", {}, spread(array)));
    figure.append(caption);
    const few = array.shape.length === 1 && array.shape[0] <= 16;
    const known = name === "input" ? run.about()?.features : name === found.stages.at(-1).name ? found.classes : null;
    const classes = few && known?.length === array.shape[0] ? known : null;
    const pictures = maps(array, name, classes, () => {});
    figure.append(pictures);
    if (few) return figure;
    const details = made("details");
    details.append(made("summary", "", {}, "Its numbers"));
    const { channels } = layout(array);
    const place = made("div", "scroll", { tabindex: "0", role: "region", "aria-label": `Numbers of ${title}` });
    const choice = made("select", "", { "aria-label": "Channel" });
    for (let c = 0; c < channels; c += 1) choice.append(new Option(`channel ${c}`, c));
    choice.hidden = channels < 2;
    choice.value = String(Math.min(channel, channels - 1));
    const fill = () => {
      place.replaceChildren(numbersTable(array, Number(choice.value)));
      [...pictures.querySelectorAll("canvas")].forEach((canvas, c) => canvas.classList.toggle("chosen", channels > 1 && c === Number(choice.value)));
    };
    choice.addEventListener("change", () => {
      channel = Number(choice.value);
      fill();
    });
    [...pictures.querySelectorAll("canvas")].forEach((canvas, c) => canvas.addEventListener("click", () => {
      details.open = true;
      if (c < channels) choice.value = String(c);
      channel = Number(choice.value);
      fill();
    }));
    details.addEventListener("toggle", () => details.open && place.childElementCount === 0 && fill());
    details.append(choice, place);
    figure.append(details);
    if (array.numbers.length <= 400) details.open = true;
    return figure;
  }

  function play() {
    if (playing !== null) return halt();
    if (at === all.length - 1) to(0);
    playing = setInterval(() => to(at + 1), 1000 * SECONDS);
    document.getElementById("step-play").textContent = "Pause";
    return undefined;
  }

  function halt() {
    clearInterval(playing);
    playing = null;
    document.getElementById("step-play").textContent = "Play";
  }

  panel.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by || event.target.closest("select, .scroll")) return;
    event.preventDefault();
    to(at + by);
    if (event.target.closest(".steps")) steps.children[at].firstChild.focus();
  });
  label.addEventListener("change", () => sample.chosen() && ask(sample.chosen()));
  onScheme(draw);
  studio.on("run", () => {
    label.replaceChildren();
    if (!section.hidden) run.look();
  });
  return {
    show() {
      run.look();
      sample.refresh();
    },
  };
}

/** Return a table of the numbers of one channel, each on its shade. */
function numbersTable(array, channel) {
  const found = layout(array);
  const wide = found.height === 1 ? Math.min(10, found.width) : found.width;
  const value = found.height === 1 ? (y, x) => found.at(0, y * wide + x, channel) : (y, x) => found.at(y, x, channel);
  const rows = found.height === 1 ? Math.ceil(found.width / wide) : found.height;
  const scale = scaleOf(array);
  const table = made("table", "numbers");
  const head = made("tr");
  head.append(made("td"));
  const across = Math.min(wide, MOST_COLUMNS);
  for (let x = 0; x < across; x += 1) head.append(made("th", "", { scope: "col" }, String(x)));
  table.append(made("thead"), made("tbody"));
  table.tHead.append(head);
  for (let y = 0; y < Math.min(rows, MOST_ROWS); y += 1) {
    const row = table.tBodies[0].insertRow();
    row.append(made("th", "", { scope: "row" }, String(found.height === 1 ? y * wide : y)));
    for (let x = 0; x < across; x += 1) {
      const cell = row.insertCell();
      if (found.height === 1 && y * wide + x >= found.width) continue;
      const number = value(y, x);
      cell.textContent = shown(number);
      cell.style.setProperty("--of", `rgb(${shade(scale.of(number) * 0.35, scale.signed).join(" ")})`);
    }
  }
  const left = rows > MOST_ROWS || wide > MOST_COLUMNS;
  if (left) {
    const caption = table.createCaption();
    caption.textContent = `The first ${Math.min(rows, MOST_ROWS)} rows and ${across} columns of ${rows}x${wide}.`;
  }
  return table;
}
