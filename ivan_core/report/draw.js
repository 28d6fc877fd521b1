"use strict";
for (const place of document.querySelectorAll("[data-spec]")) {
  const spec = JSON.parse(document.getElementById(place.dataset.spec).textContent);
  // The interpreter of expressions needs no `eval`, and what a page says of styles counts here too.
  vegaEmbed(place, spec, {
    mode: "vega-lite",
    renderer: "svg",
    ast: true,
    logLevel: 1, // errors alone
    actions: false,
    defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
  }).then(() => {
    // The place says what is seen, and the table below has the numbers: marks are not read aloud.
    place.setAttribute("role", "img");
    for (const drawn of place.children) drawn.setAttribute("aria-hidden", "true");
  }).catch(() => {
    place.textContent = "This chart could not be drawn. Its numbers are in the table below it.";
  });
}
// On paper nothing can be opened: sentences are printed all, tables as they were left.
const folded = () => document.querySelectorAll("details[data-printed]:not([open])");
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...folded()];
  for (const one of opened) one.open = true;
});
addEventListener("afterprint", () => {
  for (const one of opened) one.open = false;
});
