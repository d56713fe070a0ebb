// The colours of the text: the generated rules, applied to a line as a TextMate grammar is.
import { HighlightStyle, StreamLanguage, Tag, syntaxHighlighting } from "./vendor/codemirror.js";
import { rules } from "./rules.js";

const compiled = rules.map(([pattern, whole, groups]) => ({ expression: new RegExp(pattern, "dgmu"), whole, groups }));
const names = [...new Set(rules.flatMap(([, whole, groups]) => [whole, ...groups]).filter(Boolean))];
const tags = Object.fromEntries(names.map((name) => [token(name), Tag.define(name)]));

/** Return a colour as a token of CodeMirror, which has meanings of its own for names such as variable. */
function token(name) {
  return `nnspec-${name}`;
}

/** Return the coloured parts of a line as [start, end, colour], in order and apart. */
export function colours(line) {
  const found = [];
  let at = 0;
  while (at < line.length) {
    let best = null;
    for (const { expression, whole, groups } of compiled) {
      expression.lastIndex = at;
      const match = expression.exec(line);
      if (match !== null && match[0] !== "" && (best === null || match.index < best.match.index)) {
        best = { match, whole, groups };
      }
    }
    if (best === null) break;
    const { match, whole, groups } = best;
    if (whole !== null) found.push([match.index, match.index + match[0].length, whole]);
    groups.forEach((colour, number) => {
      const place = match.indices[number + 1];
      if (place !== undefined && place[0] < place[1]) found.push([...place, colour]);
    });
    at = match.index + match[0].length;
  }
  return found.sort((a, b) => a[0] - b[0]);
}

const language = StreamLanguage.define({
  name: "nnspec",
  tokenTable: tags,
  startState: () => ({ parts: [] }),
  copyState: (state) => ({ parts: state.parts }),
  token(stream, state) {
    if (stream.sol()) state.parts = colours(stream.string);
    const here = stream.pos;
    const part = state.parts.find(([, end]) => end > here);
    if (part === undefined) {
      stream.skipToEnd();
      return null;
    }
    stream.pos = part[0] > here ? part[0] : part[1];
    return part[0] > here ? null : token(part[2]);
  },
  languageData: { commentTokens: { line: "#" }, closeBrackets: { brackets: ["(", "{", '"'] } },
});

const style = HighlightStyle.define(names.map((name) => ({ tag: tags[token(name)], class: `c-${name}` })));

/** The language and its colours, whose classes are c-keyword, c-layer and so on. */
export const nnspec = () => [language, syntaxHighlighting(style)];
