// Copies the page's third-party module files from node_modules into static/vendor, after comparing what npm installed
// with package-lock.json (version and integrity). Run by `python -m dashboards.setup_page`.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const target = join(root, "static", "vendor");

/** Which file of which package the import map of index.html names, and under which name it is served. */
const FILES = [
  ["preact", "dist/preact.mjs", "preact.mjs"],
  ["preact", "hooks/dist/hooks.mjs", "preact-hooks.mjs"],
  ["@preact/signals-core", "dist/signals-core.mjs", "signals-core.mjs"],
  ["@preact/signals", "dist/signals.mjs", "signals.mjs"],
  ["htm", "dist/htm.mjs", "htm.mjs"],
  ["htm", "preact/index.mjs", "htm-preact.mjs"],
  ["uplot", "dist/uPlot.esm.js", "uplot.mjs"],
  ["uplot", "dist/uPlot.min.css", "uplot.css"],
];

const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
const installed = JSON.parse(readFileSync(join(modules, ".package-lock.json"), "utf8")).packages;

rmSync(target, { recursive: true, force: true });
mkdirSync(join(target, "licences"), { recursive: true });

/** @type {{package: string, version: string, licence: string, file: string, sha256: string}[]} */
const manifest = [];
for (const [name, source, file] of FILES) {
  const key = `node_modules/${name}`;
  for (const fact of ["version", "integrity"]) {
    if (!wanted[key]?.[fact] || wanted[key][fact] !== installed[key]?.[fact]) {
      console.error(`${name}: node_modules has ${fact} ${installed[key]?.[fact]}, package-lock.json ${wanted[key]?.[fact]}; run npm ci`);
      process.exit(1);
    }
  }
  const bytes = readFileSync(join(modules, name, source));
  writeFileSync(join(target, file), bytes);
  manifest.push({
    package: name,
    version: wanted[key].version,
    licence: wanted[key].license,
    file,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  });
  const licence = readdirSync(join(modules, name)).find((entry) => /^licen[cs]e/i.test(entry));
  if (!licence) throw new Error(`${name} ships no licence file`);
  cpSync(join(modules, name, licence), join(target, "licences", `${name.replace("@", "").replace("/", "-")}.txt`));
}
writeFileSync(join(target, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
console.log(`${manifest.length} files of ${new Set(manifest.map((entry) => entry.package)).size} packages in static/vendor`);
