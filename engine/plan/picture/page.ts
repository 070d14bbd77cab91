// Puts the page of a graph together: drawing, data, style and script in one file that loads nothing.
import { readFileSync } from "node:fs";
import { asset } from "../../assets.ts";
import type { Drawing } from "./drawing.ts";
import type { PageData } from "./page-data.ts";
import { drawContent, drawingStyle, drawMarks, escapeText, type Marks, variables } from "./svg.ts";

/** The page as text. Its script and style are built from `page/` by `make bundle`. */
export function toPage(data: PageData, drawing: Drawing, marks: Marks): string {
  const script = readFileSync(asset("dagger/graph-page.js"), "utf8");
  const style = readFileSync(asset("dagger/graph-page.css"), "utf8");
  // In a script element only its end tag has a meaning.
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  const title = escapeText(data.title);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${title} · graph</title>
<style>
:root { color-scheme: light; ${variables("light")} }
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) { color-scheme: dark; ${variables("dark")} } }
:root[data-theme="dark"] { color-scheme: dark; ${variables("dark")} }
${drawingStyle}
${style}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<span id="count"></span>
<div id="finder" role="search">
<input id="search" type="search" placeholder="Search steps and components" aria-label="Search steps and components" aria-controls="found" aria-keyshortcuts="/" autocomplete="off" spellcheck="false">
<div id="found" role="listbox" aria-label="Found" hidden></div>
</div>
<span id="run"></span>
<div class="buttons">
<button id="out" aria-label="Zoom out" title="Zoom out (-)">−</button>
<button id="fit" title="Show all (0)">Fit</button>
<button id="in" aria-label="Zoom in" title="Zoom in (+)">+</button>
<button id="theme" title="Light or dark">Theme</button>
<button id="help" aria-label="Keys" title="Keys (?)">?</button>
</div>
</header>
<main>
<svg id="graph" tabindex="0" role="application" aria-label="Graph: arrow keys go from step to step" xmlns="http://www.w3.org/2000/svg">
${drawMarks()}
<g id="world">
${drawContent(drawing, marks)}
<g id="overlay"></g>
</g>
</svg>
<aside id="details" aria-live="polite" hidden></aside>
</main>
<section id="timeline" aria-label="Timeline of the run" hidden></section>
<dialog id="keys" aria-label="Keys"></dialog>
<script type="application/json" id="data">${json}</script>
<script>${script}</script>
</body>
</html>
`;
}
