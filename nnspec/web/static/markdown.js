// Help texts: the Markdown that nnspec writes (paragraphs, lists, **bold**, `code`, fenced code) as elements.
import { colours } from "./language.js";

/** Return an element with a help text. Nothing of the text is read as HTML. */
export function helpElement(markdown) {
  const root = document.createElement("div");
  root.className = "help";
  const parts = markdown.split(/^```\w*\n([\s\S]*?)\n```$/m);
  parts.forEach((part, number) => root.append(...(number % 2 ? [codeElement(part)] : blocks(part))));
  return root;
}

/** Return a spec's text with its colours. */
export function codeElement(text) {
  const pre = document.createElement("pre");
  text.split("\n").forEach((line, number) => {
    if (number > 0) pre.append("\n");
    let at = 0;
    for (const [start, end, colour] of colours(line)) {
      const span = document.createElement("span");
      span.className = `c-${colour}`;
      span.textContent = line.slice(start, end);
      pre.append(line.slice(at, start), span);
      at = end;
    }
    pre.append(line.slice(at));
  });
  return pre;
}

function* blocks(text) {
  for (const paragraph of text.split(/\n{2,}/)) {
    const lines = paragraph.split("\n").filter((line) => line.trim() !== "");
    if (lines.length > 0 && lines.every((line) => line.startsWith("- "))) {
      const list = document.createElement("ul");
      for (const line of lines) list.append(filled("li", line.slice(2)));
      yield list;
    } else if (lines.length > 0) {
      yield filled("p", lines.join(" "));
    }
  }
}

function filled(name, text) {
  const element = document.createElement(name);
  for (const piece of text.split(/(`[^`]+`|\*\*[^*]+\*\*)/)) {
    const marked = piece.startsWith("`") ? "code" : piece.startsWith("**") ? "strong" : null;
    if (marked === null || piece.length < 3) {
      element.append(piece);
      continue;
    }
    const inner = document.createElement(marked);
    inner.textContent = marked === "code" ? piece.slice(1, -1) : piece.slice(2, -2);
    element.append(inner);
  }
  return element;
}
