"use strict";

// Everything is there without this script; it adds sorting, reading of curves, copying and the choice of colours.

const SVG = "http://www.w3.org/2000/svg";

function made(name, parent, properties = {}) {
  const element = document.createElement(name);
  Object.assign(element, properties);
  parent?.append(element);
  return element;
}

// Light or dark.

function themeButton(button) {
  const root = document.documentElement;
  const dark = () => getComputedStyle(root).colorScheme === "dark"
    || (root.dataset.theme === undefined && matchMedia("(prefers-color-scheme: dark)").matches);
  button.hidden = false;
  button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; });
}

// Tables: each heading sorts.

function cellKey(row, place, numeric) {
  const cell = row.cells[place];
  const value = cell.querySelector("[data-value]")?.dataset.value;
  if (!numeric) return cell.textContent;
  return Number.parseFloat(value ?? cell.textContent);
}

function sortBy(table, head, place) {
  const numeric = head.classList.contains("number");
  const next = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", next);
  const sign = next === "ascending" ? 1 : -1;
  const keyed = [...table.tBodies[0].rows].map((row) => [cellKey(row, place, numeric), row]);
  const nothing = (key) => numeric ? Number.isNaN(key) : key === "–";
  keyed.sort(([a], [b]) => {
    if (nothing(a) || nothing(b)) return nothing(a) - nothing(b);
    return sign * (numeric ? a - b : a.localeCompare(b, undefined, { numeric: true }));
  });
  table.tBodies[0].append(...keyed.map(([, row]) => row));
}

function sortable(table) {
  if (table.tBodies[0].rows.length < 2) return;
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sortBy(table, head, place));
  });
}

// Curves: a place across is chosen with the pointer or a slider, and read in words.

class Readable {
  constructor(figure) {
    this.svg = figure.querySelector("svg[role=img]");
    this.data = JSON.parse(figure.querySelector("script[data-reading]").textContent);
    this.output = made("p", null, { className: "reading" });
    figure.querySelector("figcaption").before(this.output);
    this.layer = this.svg.appendChild(document.createElementNS(SVG, "g"));
  }

  placeOf(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    const distances = this.data.places.map((place) => Math.abs(place - point.x));
    return distances.indexOf(Math.min(...distances));
  }

  draw(name, attributes) {
    const mark = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) mark.setAttribute(key, value);
    this.layer.append(mark);
  }

  head(index) {
    return `${this.data.what} ${this.data.heads[index]}`;
  }

  words(index) {
    return this.data.series.filter((series) => series.words[index] !== null)
      .map((series) => `${series.name} ${series.words[index]}`).join("; ");
  }

  show(index) {
    const across = this.data.places[index];
    const box = this.svg.viewBox.baseVal;
    this.layer.replaceChildren();
    this.draw("path", { d: `M${across} 26V${box.height - 44}`, class: "cross" });
    for (const series of this.data.series) {
      if (series.at[index] !== null) this.draw("circle", { cx: across, cy: series.at[index], r: 4.5, class: `dot ${series.tone}` });
    }
    this.output.textContent = `${this.head(index)}: ${this.words(index) || "nothing"}`;
  }

  clear() {
    this.layer.replaceChildren();
    this.output.textContent = "";
  }
}

function linked(group, figures) {
  const readables = figures.map((figure) => new Readable(figure));
  const count = readables[0].data.places.length;
  if (count < 2) return;
  const reader = document.createElement("p");
  reader.className = "reader";
  const label = made("label", reader, { textContent: `Read at ${readables[0].data.what} ` });
  const slider = made("input", label, { type: "range", min: 0, max: count - 1, value: count - 1 });
  const said = () => {
    const index = Number(slider.value);
    const words = readables.map((readable) => readable.words(index)).filter(Boolean).join("; ");
    slider.setAttribute("aria-valuetext", `${readables[0].head(index)}: ${words}`);
    for (const readable of readables) readable.show(index);
  };
  slider.addEventListener("input", said);
  slider.addEventListener("focus", said);
  if (group.matches("figure")) readables[0].svg.after(reader);
  else group.before(reader);
  for (const readable of readables) {
    readable.svg.addEventListener("pointermove", (event) => { slider.value = readable.placeOf(event); said(); });
    readable.svg.addEventListener("pointerdown", (event) => { slider.value = readable.placeOf(event); said(); });
    readable.svg.addEventListener("pointerleave", () => {
      if (document.activeElement !== slider) for (const each of readables) each.clear();
    });
  }
}

// Texts to copy.

function copyable(text) {
  const box = document.createElement("div");
  box.className = "copyable";
  text.before(box);
  box.append(text);
  const button = made("button", box, { type: "button", textContent: "Copy" });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}

// The part of the page in view is marked in the contents, and folded parts open for a printer or an address.

function follow(links) {
  const marked = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links) link.removeAttribute("aria-current");
      document.querySelector(`nav a[href="#${entry.target.id}"]`)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  for (const section of document.querySelectorAll("main > section")) marked.observe(section);
}

function openForPrinting() {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open]):not(.unprinted)")];
    for (const part of opened) part.open = true;
  });
  addEventListener("afterprint", () => { for (const part of opened) part.open = false; });
}

themeButton(document.getElementById("theme"));
document.querySelectorAll("table[data-sortable]").forEach(sortable);
document.querySelectorAll("pre[data-copy]").forEach(copyable);
for (const group of document.querySelectorAll("[data-linked]")) {
  linked(group, [...group.querySelectorAll("figure:has(script[data-reading])")]);
}
for (const figure of document.querySelectorAll("figure:has(script[data-reading])")) {
  if (!figure.closest("[data-linked]")) linked(figure, [figure]);
}
follow([...document.querySelectorAll("nav a")]);
openForPrinting();
