// The grammar as VS Code reads it, over every spec that comes with the package.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");
const oniguruma = require("vscode-oniguruma");

const here = dirname(fileURLToPath(import.meta.url));
const specs = join(here, "../../../specs");
const path = join(here, "../syntaxes/nnspec.tmLanguage.json");

const wasm = readFileSync(join(dirname(require.resolve("vscode-oniguruma")), "onig.wasm"));
await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
const registry = new Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async () => parseRawGrammar(readFileSync(path, "utf8"), path),
});
const grammar = await registry.loadGrammar("source.nnspec");

/** [text, scope] for each piece of a text that is not blank. */
function pieces(text) {
  let state = INITIAL;
  const found = [];
  for (const line of text.split("\n")) {
    const result = grammar.tokenizeLine(line, state);
    state = result.ruleStack;
    for (const token of result.tokens) {
      const piece = line.slice(token.startIndex, token.endIndex);
      if (piece.trim()) {
        found.push([piece.trim(), token.scopes.slice(1).at(-1)?.replace(/\.nnspec$/, "") ?? ""]);
      }
    }
  }
  return found;
}

for (const file of readdirSync(specs).filter((name) => name.endsWith(".nnspec"))) {
  test(`every word of ${file} has a colour, and none is marked as wrong`, () => {
    const found = pieces(readFileSync(join(specs, file), "utf8"));
    assert.ok(found.length > 10);
    assert.deepEqual(found.filter(([, scope]) => scope === "" || scope.startsWith("invalid")), []);
  });
}

test("each kind of word has a colour of its own", () => {
  const text = [
    "# a comment -> conv",
    "let width = 16",
    "block res(w, k) = (conv 3x3 x$w pad=same + skip) -> relu",
    'data csv "a.csv" target=species split=75/25',
    "stem: conv 3x3 x8 bias=no -> repeat 2 (res $width)",
    "optimizer adam lr=1e-3",
    "sweep optimizer.lr = 0.1, 0.01",
  ].join("\n");
  const scopes = pieces(text);
  for (const [piece, scope] of [
    ["# a comment -> conv", "comment.line.number-sign"],
    ["let", "keyword.control"],
    ["width", "entity.name.function"],
    ["res", "entity.name.function"],
    ["w, k", "variable.other"],
    ["x$w", "variable.other"],
    ["3x3", "constant.numeric"],
    ["pad", "variable.parameter"],
    ["same", "support.constant"],
    ["skip", "support.function.layer"],
    ["data", "keyword.other.statement"],
    ['"a.csv"', "string.quoted.double"],
    ["75/25", "constant.numeric"],
    ["stem", "entity.name.function"],
    ["x8", "constant.numeric"],
    ["species", "support.constant"],
    ["no", "constant.language"],
    ["->", "keyword.operator"],
    ["repeat", "keyword.control"],
    ["conv", "support.function.layer"],
    ["$width", "variable.other"],
    ["adam", "support.constant"],
    ["1e-3", "constant.numeric"],
    ["optimizer.lr", "variable.parameter"],
    ["0.01", "constant.numeric"],
  ]) {
    assert.ok(
      scopes.some(([p, s]) => p === piece && s === scope),
      `${piece} is ${scopes.filter(([p]) => p === piece).map(([, s]) => s || "plain")}, not ${scope}`,
    );
  }
});
