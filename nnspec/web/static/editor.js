// The editor of a spec: colours, underlined mistakes with their fixes, completion, help, and shapes after the lines.
import {
  Compartment, Decoration, EditorState, EditorView, StateEffect, StateField, WidgetType, autocompletion, bracketMatching,
  closeBrackets, closeBracketsKeymap, completionKeymap, defaultKeymap, drawSelection, dropCursor, forEachDiagnostic,
  highlightActiveLine, highlightSelectionMatches, highlightSpecialChars, history, historyKeymap, hoverTooltip, indentUnit, keymap,
  lineNumbers, lintGutter, lintKeymap, nextDiagnostic, placeholder, previousDiagnostic, search, searchKeymap, setDiagnostics,
  snippet,
} from "./vendor/codemirror.js";
import { nnspec } from "./language.js";
import { helpElement } from "./markdown.js";

const WIDEST = 64; // characters: longer lines do not move the column of shapes
const INDENT = "  ";

/**
 * Make an editor inside an element.
 *
 * `backend` has `analyse(text, variant, sample)` and `complete(text, offset)`, and may have `hover(text, offset)`: promises of what
 * nnspec.spec_lang.editor.page returns. One analysis runs at a time; of the texts that come meanwhile the last is next.
 *
 * Options: `text`, `label` (the name of the text box for screen readers), `onText(text)` after each change,
 * `onAnalysis(result, text)` after each analysis of the text as it is now, `onFailure(error)` if an analysis fails,
 * `onPlace(offset)` when the cursor moves, `keys` (further key bindings of CodeMirror).
 *
 * Returns an object: `view`, `text()`, `setText(text)`, `variant` and `setVariant(name)`, `sample` and `setSample(shape)`, the
 * shape of a sample where the text leaves it to the data, `analyse()` to ask again,
 * `select(from, to)`, `apply(fix)` of the last analysis, `go(diagnostic)`, `setReadOnly(yes)`, `focus()`, `destroy()`.
 */
export function createEditor(parent, backend, options = {}) {
  const { text = "", label = "The spec", onText, onAnalysis, onFailure, onPlace, keys = [] } = options;
  const readOnly = new Compartment();
  const wrapping = new Compartment();
  const narrow = matchMedia("(max-width: 52rem)"); // as in style.css
  const wrapped = () => (narrow.matches ? EditorView.lineWrapping : []);
  const analyses = latest(analyseOnce);
  const state = EditorState.create({
    doc: text,
    extensions: [
      lineNumbers(), history(), drawSelection(), dropCursor(), highlightActiveLine(), highlightSpecialChars(),
      highlightSelectionMatches(), bracketMatching(), closeBrackets(), indentUnit.of(INDENT), search({ top: true }),
      EditorState.tabSize.of(INDENT.length), nnspec(), lintGutter(), shapes, placeholder("input 28x28x1"),
      autocompletion({ override: [completions(backend)], icons: false, tooltipClass: () => "nn-completions" }),
      hoverTooltip(help(backend), { hoverTime: 350 }),
      EditorView.cspNonce.of(document.querySelector('meta[name="csp-nonce"]')?.content ?? ""),
      readOnly.of([]),
      wrapping.of(wrapped()),
      EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", spellcheck: "false", autocapitalize: "off", autocorrect: "off" }),
      keymap.of([
        ...keys, { key: "Mod-.", run: fixSoon }, { key: "F8", run: nextDiagnostic }, { key: "Shift-F8", run: previousDiagnostic },
        ...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, ...defaultKeymap,
      ]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) {
          onText?.(update.state.doc.toString());
          analyses();
        }
        if (update.docChanged || update.selectionSet) onPlace?.(update.state.selection.main.head);
      }),
    ],
  });
  const view = new EditorView({ state, parent });
  const rewrap = () => view.dispatch({ effects: wrapping.reconfigure(wrapped()) });
  narrow.addEventListener("change", rewrap);
  let destroyed = false;
  let known = null; // the text of the last analysis: its places are of no other text

  function fixSoon() {
    analyses().then(() => fixHere(view)); // of the text as it is now, not as it was a keystroke ago
    return true;
  }

  async function analyseOnce() {
    const analysed = view.state.doc;
    const { variant, sample } = editor;
    let result;
    try {
      result = await backend.analyse(analysed.toString(), variant, sample);
    } catch (error) {
      if (!destroyed) onFailure?.(error);
      return;
    }
    if (destroyed || view.state.doc !== analysed || editor.variant !== variant || editor.sample !== sample) return;
    known = analysed;
    view.dispatch(setDiagnostics(view.state, result.diagnostics.map((found) => shownDiagnostic(found, editor))));
    view.dispatch({ effects: setShapes.of(result.lines) });
    onAnalysis?.(result, analysed.toString());
  }

  const editor = {
    view,
    variant: null,
    sample: null,
    text: () => view.state.doc.toString(),
    setText(next, sample = null) {
      editor.variant = null;
      editor.sample = sample;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, selection: { anchor: 0 }, scrollIntoView: true });
    },
    setVariant(name) {
      editor.variant = name;
      return analyses();
    },
    setSample(shape) {
      editor.sample = shape;
      return analyses();
    },
    analyse: () => analyses(),
    select(from, to) {
      view.dispatch({ selection: { anchor: from, head: to }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    },
    apply(fix) {
      if (view.state.doc === known) view.dispatch({ changes: fix.edits.map(({ from, to, text: insert }) => ({ from, to, insert })), userEvent: "input.fix" });
    },
    go(diagnostic) {
      editor.select(diagnostic.from, diagnostic.to);
      view.focus();
    },
    setReadOnly(yes) {
      view.dispatch({ effects: readOnly.reconfigure(yes ? EditorState.readOnly.of(true) : []) });
    },
    focus: () => view.focus(),
    destroy() {
      destroyed = true;
      narrow.removeEventListener("change", rewrap);
      view.destroy();
    },
  };
  analyses();
  return editor;
}

/** Return a function that runs `work` at most once at a time; calls during a run lead to one more. */
function latest(work) {
  let running = null;
  let again = false;
  return function ask() {
    if (running !== null) {
      again = true;
      return running;
    }
    running = (async () => {
      do {
        again = false;
        await work();
      } while (again);
    })().finally(() => {
      running = null;
    });
    return running;
  };
}

function shownDiagnostic(found, editor) {
  const length = editor.view.state.doc.length;
  return {
    from: Math.min(found.from, length),
    to: Math.min(Math.max(found.to, found.from), length),
    severity: found.severity,
    source: found.code,
    message: found.text,
    renderMessage: () => diagnosticElement(found),
    actions: found.fixes.map((fix) => ({ name: fix.title, apply: () => editor.apply(fix) })),
  };
}

/** Return an element with the full text of a diagnostic: its code, what is wrong, and what to write. */
export function diagnosticElement(found) {
  const element = document.createElement("div");
  element.className = "diagnostic-text";
  const [first, ...others] = found.text.split("\n");
  const code = document.createElement("code");
  code.textContent = found.code;
  const strong = document.createElement("strong");
  strong.textContent = first;
  element.append(code, " ", strong);
  for (const line of others) {
    const div = document.createElement("div");
    div.textContent = line;
    element.append(div);
  }
  return element;
}

/** Apply the first fix of a mistake at the cursor, or in its line. */
function fixHere(view) {
  const { head } = view.state.selection.main;
  const line = view.state.doc.lineAt(head);
  const found = [];
  forEachDiagnostic(view.state, (diagnostic, from, to) => {
    if (diagnostic.actions?.length && from <= line.to && to >= line.from) found.push({ diagnostic, from, to });
  });
  const distance = ({ from, to }) => (head < from ? from - head : head > to ? head - to : 0);
  found.sort((a, b) => distance(a) - distance(b));
  found[0]?.diagnostic.actions[0].apply(view, found[0].from, found[0].to);
}

function completions(backend) {
  return async (context) => {
    const before = context.matchBefore(/[\w.$"/=( ]$/) ?? context.matchBefore(/[\w.$]+/);
    if (!context.explicit && before === null) return null;
    const found = await backend.complete(context.state.doc.toString(), context.pos);
    const typed = context.state.sliceDoc(found.from, context.pos);
    if (context.aborted || found.items.length === 0 || (!context.explicit && typed === "" && !opens(context))) return null;
    const top = found.items.length;
    return {
      from: found.from,
      to: found.to,
      validFor: /^\$?[\w.]*$/,
      options: found.items.map((item, number) => ({
        label: item.text,
        detail: item.kind,
        type: item.kind,
        boost: Math.round(99 - (198 * number) / top),
        info: item.about || item.detail ? () => helpElement(item.about || item.detail) : undefined,
        apply: item.snippet ? snippet(asSnippet(item.snippet)) : item.text,
      })),
    };
  };
}

/** Return whether what is before the cursor asks for a word by itself: an arrow, an =, a $, a quote. */
function opens(context) {
  return /(->|[=$("/])\s*$/.test(context.state.sliceDoc(Math.max(0, context.pos - 4), context.pos));
}

/** Return a snippet of the Language Server Protocol as one of CodeMirror, which has no escaped $ and no last place 0. */
function asSnippet(text) {
  return text.replace(/\$\{0\}/g, "${99}").replace(/\\([$}\\])/g, (_, character) => (character === "}" ? "\\}" : character));
}

function help(backend) {
  return async (view, pos) => {
    const found = await backend.hover?.(view.state.doc.toString(), pos);
    if (!found) return null;
    return { pos: found.from, end: found.to, above: true, create: () => ({ dom: helpElement(found.text) }) };
  };
}

const setShapes = StateEffect.define();

/** The shapes and parameters after the lines, aligned; they move with the text until the next analysis. */
const shapes = StateField.define({
  create: () => Decoration.none,
  update(value, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setShapes)) return drawnShapes(transaction.state.doc, effect.value);
    }
    return value.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

function drawnShapes(doc, lines) {
  const shown = lines.filter(({ line }) => line <= doc.lines);
  const lengths = shown.map(({ line }) => doc.line(line).length).filter((length) => length <= WIDEST);
  const column = Math.max(0, ...lengths);
  return Decoration.set(
    shown.map(({ line, shapes: along, parameters }) => {
      const { to, length } = doc.line(line);
      const widget = new Shapes(along.join(" → "), parameters, Math.max(0, column - length));
      return Decoration.widget({ widget, side: 2 }).range(to);
    }),
  );
}

class Shapes extends WidgetType {
  constructor(text, parameters, gap) {
    super();
    Object.assign(this, { text, parameters, gap });
  }

  eq(other) {
    return other.text === this.text && other.parameters === this.parameters && other.gap === this.gap;
  }

  toDOM() {
    const element = document.createElement("span");
    element.className = "nn-shapes";
    element.style.setProperty("--gap", `${this.gap}ch`);
    const shape = document.createElement("span");
    shape.textContent = this.text;
    element.append(shape);
    if (this.parameters > 0) {
      const count = document.createElement("span");
      count.className = "nn-parameters";
      count.textContent = this.parameters === 1 ? "1 param" : `${this.parameters.toLocaleString("en")} params`;
      element.append(count);
    }
    return element;
  }

  ignoreEvent() {
    return true;
  }
}
