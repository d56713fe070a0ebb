// The view of feature maps: what each layer makes of one sample.
import { made } from "/static/web/workbench.js";
import { api } from "./api.js";
import { chooseRun, chooseSample } from "./chooser.js";
import { decoded, layout, onScheme, picture, scaleOf, shown, spread } from "./pictures.js";

const MOST = 32; // channels of a layer

export function createFeatures(section, studio) {
  const sample = chooseSample(studio, draw);
  const run = chooseRun(studio, (about) => {
    layers.replaceChildren();
    missing.hidden = about !== null;
    return sample.of(about);
  });
  const tools = made("div", "tools");
  tools.append(run.label);
  const missing = made("p", "quiet", {}, "Train a network first: then its layers can be looked at.");
  const layers = made("div", "layers");
  const read = made("p", "reading", { role: "status" });
  section.append(tools, missing, sample.root, read, layers);
  let last = null;

  async function draw(chosen) {
    const of = studio.run;
    const query = chosen.png ? {} : { split: chosen.split, index: chosen.index };
    const found = await studio.attempt(() => api.run(of, "features", query, chosen.png ?? null));
    if (found === undefined || of !== studio.run || chosen !== sample.chosen()) return;
    last = found;
    show();
  }

  function show() {
    if (last === null) return;
    read.textContent = "Point at a picture to read its numbers.";
    layers.replaceChildren(...last.layers.map((layer) => row(layer, last.classes)));
  }

  function row({ name, text, values }, classes) {
    const array = decoded(values);
    const line = made("figure", "layer");
    const caption = made("figcaption");
    caption.append(made("strong", "", {}, text), made("span", "quiet", {}, spread(array)));
    const names = name === "output" ? classes : name === "input" ? run.about()?.features : null;
    line.append(caption, maps(array, text, names, (said) => { read.textContent = said; }));
    return line;
  }

  onScheme(show);
  studio.on("run", () => !section.hidden && run.look());
  return {
    show() {
      run.look();
      sample.refresh();
    },
  };
}

/** Return the pictures of an array's channels, or its numbers where they are few. `say` is told what is pointed at. */
export function maps(array, text, classes, say) {
  const box = made("div", "maps");
  const scale = scaleOf(array);
  if (array.shape.length === 1 && array.shape[0] <= 16) {
    const table = made("table", "numbers");
    const [heads, cells] = [table.insertRow(), table.insertRow()];
    array.numbers.forEach((value, i) => {
      heads.append(made("th", "", { scope: "col" }, classes?.length === array.shape[0] ? classes[i] : String(i)));
      cells.append(made("td", "right", {}, shown(value)));
    });
    box.append(table);
    return box;
  }
  const { height, width, channels, at } = layout(array);
  const flat = height === 1;
  const wide = 64;
  for (let c = 0; c < Math.min(channels, MOST); c += 1) {
    const which = channels > 1 ? `${text}, channel ${c}` : text;
    if (flat && width > wide) { // a vector in rows
      const rows = Math.ceil(width / wide);
      const value = (y, x) => (y * wide + x < width ? at(0, y * wide + x, 0) : 0);
      box.append(picture(rows, wide, value, scale, which, (y, x) => y * wide + x < width && say(`${which}: number ${y * wide + x} is ${shown(value(y, x))}`)));
      box.lastChild.classList.add("strip");
      continue;
    }
    const canvas = picture(height, width, (y, x) => at(y, x, c), scale, which, (y, x) => say(`${which}, row ${y}, column ${x}: ${shown(at(y, x, c))}`));
    if (flat) canvas.classList.add("strip", "line");
    box.append(canvas);
  }
  const all = array.shape.length === 3 ? array.shape[2] : channels;
  if (all > Math.min(channels, MOST)) box.append(made("p", "quiet", {}, `and ${all - Math.min(channels, MOST)} channels more`));
  return box;
}
