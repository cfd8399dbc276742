// The plain page: asks this server's API every few seconds and draws two panels as SVG.
// Lines break where no point came back; a server that stops answering leaves its last picture, and the page says so.
"use strict";

const prefix = document.body.dataset.prefix;
const RANGE_S = 15 * 60;
const POINTS_MAX = 400;
const COLOURS = 8;
const NAMED_MAX = 8;
const NS = "http://www.w3.org/2000/svg";

const PANELS = [
  {
    id: "cpu",
    query: 'sum by (instance, cpu) (rate(node_cpu_seconds_total{mode!="idle"}[RATE])) * 100',
    name: (m) => (m.instance ? m.instance + " " : "") + "core " + m.cpu,
    show: (v) => v.toFixed(0) + " %",
    unit: 1,
    top: 100,
  },
  {
    id: "memory",
    query: "node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes",
    name: (m) => m.instance || "memory",
    show: (v) => (v / 2 ** 30).toFixed(2) + " GiB",
    unit: 2 ** 30,
    top: 0,
  },
];

let intervalS = 5;
// How to draw each panel's last answer again, when the width changes.
const drawn = new Map();

async function ask(path) {
  const response = await fetch(prefix + path, { headers: { accept: "application/json" } });
  const answer = await response.json();
  if (answer.status !== "success") throw new Error(answer.error || "HTTP " + response.status);
  return answer.data;
}

function element(name, attributes, text) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// Colours by name: the same series have the same colours on every page, and no two share one while there are enough.
function colours(names) {
  const taken = new Set();
  const chosen = new Map();
  for (const name of [...names].sort()) {
    let hash = 2166136261;
    for (const c of name) hash = Math.imul(hash ^ c.codePointAt(0), 16777619);
    let colour = (hash >>> 0) % COLOURS;
    while (taken.size < COLOURS && taken.has(colour)) colour = (colour + 1) % COLOURS;
    taken.add(colour);
    chosen.set(name, "line-" + colour);
  }
  return chosen;
}

// The distance of four or so grid lines, round in the panel's unit.
function gridStep(top, unit) {
  const rough = top / unit / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const round = [1, 2, 2.5, 5, 10].find((n) => n * power >= rough * 0.999);
  return round * power * unit;
}

function draw(panel, series, chosen, from, to, step) {
  const box = document.getElementById(panel.id);
  const width = Math.max(box.clientWidth, 200);
  const height = 220;
  const left = 64, right = 8, above = 10, below = 22;
  if (series.length === 0) {
    const note = document.createElement("p");
    note.className = "empty";
    note.textContent = "No samples in the last 15 minutes. Is a node exporter among the targets below?";
    box.replaceChildren(note);
    return;
  }
  let top = panel.top;
  for (const s of series) for (const [, v] of s.values) if (Number.isFinite(+v)) top = Math.max(top, +v);
  // A rate may read a little over 100 %: the scale does not jump for that.
  if (top < panel.top * 1.05) top = panel.top;
  const grid = gridStep(top > 0 ? top : panel.unit, panel.unit);
  top = Math.ceil((top > 0 ? top : panel.unit) / grid - 1e-9) * grid;
  const x = (t) => left + ((t - from) / (to - from)) * (width - left - right);
  const y = (v) => height - below - (v / top) * (height - above - below);
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": summary(panel, series) });
  for (let v = 0; v <= top * 1.001; v += grid) {
    svg.append(element("line", { class: "grid", x1: left, x2: width - right, y1: y(v), y2: y(v) }));
    svg.append(element("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end" }, panel.show(v)));
  }
  const clocks = width < 420 ? 2 : 3;
  for (let i = 0; i <= clocks; i++) {
    const t = from + ((to - from) / clocks) * i;
    const anchor = i === 0 ? "start" : i === clocks ? "end" : "middle";
    const clock = new Date(t * 1000).toLocaleTimeString([], { hour12: false });
    svg.append(element("text", { x: x(t), y: height - 6, "text-anchor": anchor }, clock));
  }
  for (const s of series) {
    let path = "";
    let last = -Infinity;
    for (const [t, v] of s.values) {
      if (!Number.isFinite(+v)) continue;
      path += (t - last > step * 1.5 ? "M" : "L") + x(t).toFixed(1) + " " + y(+v).toFixed(1);
      last = t;
    }
    const line = element("path", { d: path, class: "line " + chosen.get(panel.name(s.metric)) });
    line.append(element("title", {}, panel.name(s.metric)));
    svg.append(line);
  }
  box.replaceChildren(svg);
}

function newest(series) {
  return +series.values[series.values.length - 1][1];
}

function summary(panel, series) {
  const shown = series.slice(0, NAMED_MAX).map((s) => panel.name(s.metric) + " " + panel.show(newest(s)));
  return shown.join(", ") + more(series);
}

function more(series) {
  return series.length > NAMED_MAX ? `, and ${series.length - NAMED_MAX} more` : "";
}

// The key to the lines, with each one's newest value.
function key(panel, series, chosen) {
  const entries = series.slice(0, NAMED_MAX).map((s) => {
    const entry = document.createElement("span");
    entry.className = chosen.get(panel.name(s.metric));
    entry.textContent = panel.name(s.metric) + ": " + panel.show(newest(s));
    return entry;
  });
  document.getElementById(panel.id + "-now").replaceChildren(...entries, more(series).replace(", ", ""));
}

// The lookback would hide holes: points are asked for at the scrape interval and taken only where a sample is near.
async function panel(p, now) {
  const step = Math.max(intervalS, Math.ceil(RANGE_S / POINTS_MAX));
  const to = Math.floor(now / step) * step;
  const from = to - RANGE_S;
  const rate = Math.max(4 * intervalS, 10) + "s";
  const query = p.query.replace("RATE", rate);
  const path = `/api/v1/query_range?query=${encodeURIComponent(query)}&start=${from}&end=${to}&step=${step}&lookback_delta=${2 * step}`;
  const data = await ask(path);
  const chosen = colours(data.result.map((s) => p.name(s.metric)));
  draw(p, data.result, chosen, from, to, step);
  key(p, data.result, chosen);
  drawn.set(p.id, () => draw(p, data.result, chosen, from, to, step));
}

function cell(text, className) {
  const made = document.createElement("td");
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function targets(active, now) {
  const rows = active.map((target) => {
    const row = document.createElement("tr");
    const up = target.health === "up";
    const age = now - Date.parse(target.lastScrape) / 1000;
    const mark = up ? "● up" : target.health === "down" ? "✕ down: " + target.lastError : "? not scraped yet";
    row.append(
      cell(target.labels.job || ""),
      cell(target.labels.instance || ""),
      cell(mark, up ? "good" : target.health === "down" ? "bad" : ""),
      cell(target.health === "unknown" ? "" : Math.max(age, 0).toFixed(0) + " s ago", "short"),
      cell((target.lastScrapeDuration * 1000).toFixed(1) + " ms", "short"),
    );
    return row;
  });
  document.getElementById("targets").replaceChildren(...rows);
}

function seconds(text) {
  const units = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400 };
  let total = 0;
  for (const [, n, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) total += n * units[unit];
  return total || 5;
}

async function refresh() {
  const verdict = document.getElementById("verdict");
  let pause = intervalS;
  try {
    const now = Date.now() / 1000;
    const active = (await ask("/api/v1/targets?state=active")).activeTargets;
    if (active.length) intervalS = Math.min(...active.map((target) => seconds(target.scrapeInterval)));
    targets(active, now);
    await Promise.all(PANELS.map((p) => panel(p, now)));
    const up = active.filter((target) => target.health === "up").length;
    verdict.className = up === active.length ? "good" : "bad";
    verdict.textContent = active.length
      ? `${up === active.length ? "●" : "✕"} ${up} of ${active.length} targets up`
      : "No targets: the configuration names none";
  } catch (problem) {
    verdict.className = "bad";
    verdict.textContent = `▲ The server does not answer (${problem.message}); the picture stands still. Trying again.`;
    pause = 2;
  }
  setTimeout(refresh, Math.max(pause, 1) * 1000);
}

addEventListener("resize", () => {
  for (const again of drawn.values()) again();
});

refresh();
