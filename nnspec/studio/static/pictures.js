// Arrays as pictures: shades from low to high, or blue below 0 and red above it, and their numbers in words.
import { made } from "/static/web/workbench.js";

const MATRIX = 340; // pixels, the longer side of a matrix of weights
const dark = matchMedia("(prefers-color-scheme: dark)");

/** Call `redraw` when the screen changes between light and dark. */
export function onScheme(redraw) {
  dark.addEventListener("change", redraw);
}

/** Return an array of the studio as { shape, sent, low, high, mean, numbers }, its numbers as a Float32Array. */
export function decoded(array) {
  if (array === null || array === undefined) return null;
  return { ...array, numbers: new Float32Array(bytes(array.numbers).buffer) };
}

/** Return the bytes of a text in base64. */
export function bytes(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Return { height, width, channels, at(row, column, channel) } of an array, whatever its rank. */
export function layout({ sent, numbers }) {
  if (sent.length === 3) {
    const [height, width, channels] = sent;
    return { height, width, channels, at: (y, x, c) => numbers[(y * width + x) * channels + c] };
  }
  if (sent.length === 2) {
    const [steps, width] = sent; // steps across, channels down
    return { height: width, width: steps, channels: 1, at: (y, x) => numbers[x * width + y] };
  }
  if (sent.length === 4) { // a filter's height, width, in, out: one picture for each out, its inputs side by side
    const [height, across, inputs, outputs] = sent;
    const at = (y, x, c) => numbers[((y * across + (x % across)) * inputs + Math.floor(x / across)) * outputs + c];
    return { height, width: across * inputs, channels: outputs, at };
  }
  return { height: 1, width: numbers.length, channels: 1, at: (y, x) => numbers[x] };
}

/** Return a colour [red, green, blue] of a value from -1 to 1 (signed) or 0 to 1. */
export function shade(value, signed) {
  const ground = dark.matches ? [21, 24, 29] : [255, 255, 255];
  const ends = dark.matches ? [[86, 180, 233], [255, 126, 84]] : [[5, 80, 174], [190, 40, 20]];
  const ink = dark.matches ? [240, 242, 245] : [20, 22, 26];
  const end = signed ? ends[value > 0 ? 1 : 0] : ink;
  const part = Math.min(1, Math.abs(value));
  return ground.map((from, i) => Math.round(from + (end[i] - from) * part));
}

/** Return what scales the numbers of an array to `shade`: the largest magnitude, or from low to high. */
export function scaleOf({ low, high }) {
  const signed = low < 0;
  const most = Math.max(Math.abs(low ?? 0), Math.abs(high ?? 0)) || 1;
  const base = signed || low === null ? 0 : Math.min(low, 0);
  return { signed, of: (value) => (value - base) / most };
}

/** Return a canvas with the picture of one channel. `describe(row, column)` is what the pointer reads on it. */
export function picture(height, width, at, scale, label, describe = null) {
  const canvas = made("canvas", "pixels", { role: "img", "aria-label": label });
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      image.data.set([...shade(scale.of(at(y, x)), scale.signed), 255], 4 * (y * width + x));
    }
  }
  context.putImageData(image, 0, 0);
  if (describe) {
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect();
      const y = Math.min(height - 1, Math.floor(((event.clientY - box.top) / box.height) * height));
      const x = Math.min(width - 1, Math.floor(((event.clientX - box.left) / box.width) * width));
      describe(Math.max(0, y), Math.max(0, x));
    });
  }
  return canvas;
}

/** Return a canvas of a sample as it is: grey, or in colour where it has three channels. */
export function photo(array, limits, label) {
  const { height, width, channels, at } = layout(array);
  const canvas = made("canvas", "pixels", { role: "img", "aria-label": label });
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const [low, high] = limits;
  const byte = (value) => (255 * (value - low)) / (high - low || 1);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const colour = channels === 3 ? [0, 1, 2].map((c) => byte(at(y, x, c))) : Array(3).fill(byte(at(y, x, 0)));
      image.data.set([...colour, 255], 4 * (y * width + x));
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Return a canvas for each tile of the weights of a first layer. */
export function weightPictures(weights) {
  const [count, height, width, channels] = weights.shape;
  const tiles = new Int8Array(bytes(weights.tiles).buffer);
  return Array.from({ length: count }, (_, tile) => {
    const value = (y, x, c) => tiles[((tile * height + y) * width + x) * channels + c] / 127;
    const label = weights.whole ? `${weights.layer}, ${tile}` : weights.layer;
    if (channels !== 3) {
      const canvas = picture(height, width, (y, x) => value(y, x, 0), { signed: true, of: (v) => v }, label);
      if (!weights.whole) canvas.style.width = `${Math.round(width * Math.min(24, MATRIX / width, MATRIX / height))}px`;
      return canvas;
    }
    const numbers = Float32Array.from({ length: height * width * 3 }, (_, i) => tiles[tile * height * width * 3 + i]);
    return photo({ sent: [height, width, 3], numbers }, [-127, 127], label);
  });
}

/** Return a number in a few characters. */
export function shown(value) {
  if (value === null || Number.isNaN(value)) return "not a number";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

/** Return the range of an array in words. */
export function spread({ shape, low, high, mean }) {
  const size = shape.length ? shape.join("x") : "one number";
  return low === null ? `${size}, not finite` : `${size} · ${shown(low)} to ${shown(high)}, mean ${shown(mean)}`;
}
