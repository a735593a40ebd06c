"""What the page is dressed in: its style, and the script that filters and folds. Neither loads anything.

The script is named by its hash in the page's policy, so that nothing that content brings along can run.
"""

import base64
import hashlib
from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1f2933; --paper: #f7f8fa; --card: #fff; --line: #d5dbe1; --quiet: #56636f;
  --add: #e3f5e8; --add-ink: #14532d; --del: #fde8e6; --del-ink: #7f1d1d; --focus: #2f6fdb; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e9ee; --paper: #14181d; --card: #1d232a; --line: #38424c; --quiet: #a3b0bc;
    --add: #12301f; --add-ink: #b7ebc6; --del: #3b1a1a; --del-ink: #fbc7c2; --focus: #7fb0ff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.25rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 0 0 .5rem; }
section, header, nav { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: 1rem 1.25rem; margin: 0 0 1rem; }
header { border-left: 8px solid #2c6e49; } header.blocked { border-left-color: #a3231c; }
header.unsure { border-left-color: #8a5a00; }
nav { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end;
  padding: .6rem 1.25rem; }
label { display: flex; flex-direction: column; font-size: .8rem; color: var(--quiet); }
select, button { font: inherit; font-size: .95rem; color: var(--ink); background: var(--paper); padding: .25rem .5rem;
  border: 1px solid var(--line); border-radius: 4px; max-width: 16rem; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 1px; }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
code, pre { font: .88rem/1.45 ui-monospace, monospace; } code { overflow-wrap: anywhere; }
pre { margin: .25rem 0; overflow-x: auto; border: 1px solid var(--line); border-radius: 4px; padding: .4rem 0; }
pre span { display: block; padding: 0 .6rem; white-space: pre; width: max-content; min-width: 100%; }
.a { background: var(--add); color: var(--add-ink); } .d { background: var(--del); color: var(--del-ink); }
.q, dt { color: var(--quiet); } ul { margin: .25rem 0; padding-left: 1.2rem; }
li { overflow-wrap: anywhere; margin: .3rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; } dd { margin: 0;
  overflow-wrap: anywhere; }
summary { cursor: pointer; overflow-wrap: anywhere; padding: .15rem 0; }
details.unit { border-top: 1px solid var(--line); padding: .35rem 0; } details.change { margin: .3rem 0 .3rem 1rem; }
.badge { display: inline-block; border-radius: 4px; padding: 0 .45rem; color: #fff; background: #4a5a6a;
  font-size: .85rem; }
.error, .stuck, .downtime, .deleted { background: #a3231c; } .warning, .degraded { background: #8a5a00; }
.ok, .created { background: #2c6e49; }
svg { width: 100%; max-width: 45rem; height: auto; display: block; margin: .5rem 0; }
[hidden] { display: none !important; }
@media print { nav { display: none; } }
"""

SCRIPT: Final = """
"use strict";
const chosen = name => document.getElementById("f-" + name).value;
const units = [...document.querySelectorAll("details.unit")];
const changes = [...document.querySelectorAll("details.change")];
function show() {
  const cluster = chosen("cluster"), unit = chosen("unit"), kind = chosen("class");
  let shown = 0;
  for (const one of units) {
    const fits = (!cluster || one.dataset.cluster === cluster) && (!unit || one.dataset.unit === unit);
    let any = false;
    for (const change of one.querySelectorAll("details.change")) {
      const is = fits && (!kind || change.dataset.classes.split(" ").includes(kind));
      change.hidden = !is;
      any = any || is;
      shown += is ? 1 : 0;
    }
    one.hidden = !(any || (fits && !kind));
  }
  for (const one of document.querySelectorAll("[data-of-cluster]"))
    one.hidden = Boolean(cluster) && one.dataset.ofCluster !== cluster;
  document.getElementById("shown").textContent = shown + " of " + changes.length + " changes shown";
}
const fold = open => { for (const one of [...units, ...changes]) if (!one.hidden) one.open = open; };
function step(by) {
  const heads = units.filter(one => !one.hidden).map(one => one.querySelector("summary"));
  const at = heads.indexOf(document.activeElement);
  const next = heads[Math.max(0, Math.min(heads.length - 1, at + by))];
  if (next) { next.focus(); next.scrollIntoView({ block: "center" }); }
}
const keys = { f: () => document.getElementById("f-unit").focus(), o: () => fold(true), c: () => fold(false),
  j: () => step(1), k: () => step(-1) };
document.getElementById("open").addEventListener("click", () => fold(true));
document.getElementById("close").addEventListener("click", () => fold(false));
for (const one of document.querySelectorAll("select")) one.addEventListener("change", show);
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
  const act = keys[event.key];
  if (act) { event.preventDefault(); act(); }
});
document.querySelector("nav").hidden = false;
show();
"""

POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; script-src 'sha256-"
    + base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    + "'"
)
