// Bundles CodeMirror into one module without a reference to any host, and collects the licences of what is inside.
// Called as `node build.mjs [FOLDER]`; the folder is that of the committed bundle by default.
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = resolve(process.argv[2] ?? join(here, "../nnspec/web/static/vendor"));
await mkdir(folder, { recursive: true });
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["codemirror.js"],
  outfile: join(folder, "codemirror.js"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
});
const packages = new Set(
  Object.keys(metafile.inputs).map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]).filter(Boolean),
);
const parts = [];
for (const name of [...packages].sort()) {
  const inside = join(here, "node_modules", name);
  const { version } = JSON.parse(await readFile(join(inside, "package.json"), "utf8"));
  parts.push(`${name} ${version}\n\n${(await readFile(join(inside, "LICENSE"), "utf8")).trim()}\n`);
}
await writeFile(join(folder, "codemirror.LICENSES.txt"), parts.join(`\n${"-".repeat(80)}\n\n`));
