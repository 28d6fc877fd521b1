// One page of a list. Texts of data are set as text, never as markup; addresses were made by IVAN.
const LONG = 24;  // characters of words that need room of their own

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  };
  const roled = (element, role) => { element.setAttribute("role", role); return element; };
  // Roles are said, since on a narrow screen rows are drawn as cards, and no longer as a table.
  const table = roled(make("table"), "table");
  table.setAttribute("aria-label", data.alt);

  const head = roled(make("thead"), "rowgroup");
  const heads = head.appendChild(roled(make("tr"), "row"));
  for (const column of data.columns) {
    const cell = heads.appendChild(roled(make("th", column.kind), "columnheader"));
    if (column.help) cell.title = column.help;
    if (!column.sorts) { cell.textContent = column.head; continue; }
    cell.classList.add("sorts");
    const button = cell.appendChild(make("button", "", column.head));
    button.type = "button";
    button.append(make("span", "arrows", " ↕"));
    button.addEventListener("click", () => setTriggerValue("sort", column.name));
  }

  const fill = (cell, value, kind) => {
    if (kind === "verdict") {
      const both = cell.appendChild(make("div", "both"));
      const words = both.appendChild(make("span", "words"));
      value.words.forEach((word, place) => {
        if (place) words.append(" → ");
        const one = words.appendChild(make("span", "one"));
        const dot = one.appendChild(make("i", "dot"));
        if (data.colours[word]) dot.style.background = data.colours[word];
        else dot.classList.add("none");
        dot.style.borderColor = data.colours[word] || "currentColor";
        one.append(word);
      });
      both.append(make("span", "amount", value.amount));
    } else if (kind === "text") {
      const lines = cell.appendChild(make("div", "lines"));
      lines.dir = "auto";
      for (const [text, apart] of value) lines.append(apart ? make("b", "", text) : text);
    } else {
      const words = cell.appendChild(make("div", "lines", value));
      if (kind === "word") words.dir = "auto";
      if (value.length > LONG) cell.classList.add("long");
      if (value === "no" || !value) cell.classList.add(value || "none");
    }
  };

  const links = [];
  const body = roled(make("tbody"), "rowgroup");
  data.rows.forEach((row, place) => {
    const line = body.appendChild(roled(make("tr"), "row"));
    data.columns.forEach((column, at) => {
      const cell = line.appendChild(roled(make("td", column.kind), "cell"));
      cell.dataset.head = column.head;
      if (at || !data.links.length) return fill(cell, row[at], column.kind);
      const link = cell.appendChild(make("a", "", row[at]));
      link.href = data.links[place];
      link.setAttribute("aria-label", `${column.head} ${row[at]}`);
      link.tabIndex = place ? -1 : 0;
      links.push(link);
    });
    if (!data.links.length) return;
    line.classList.add("opens");
    line.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      const marked = window.getSelection();  // words to be copied, if the pointer marked any here
      if (event.detail && !marked.isCollapsed && line.contains(marked.anchorNode)) return;
      setTriggerValue("open", place);
    });
  });

  // One stop for Tab; the arrow keys lead from row to row.
  body.addEventListener("keydown", (event) => {
    const here = links.indexOf(document.activeElement);
    const steps = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: links.length - 1 };
    const next = links[steps[event.key]];
    if (here < 0 || !next) return;
    event.preventDefault();
    links[here].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
    next.closest("tr").scrollIntoView({ block: "nearest" });
  });

  table.append(head, body);
  // A new frame begins at its top; one that is scrolled there would be laid out once more for it.
  const frame = make("div", "ivan-table");
  frame.append(table);
  parentElement.querySelector(".ivan-table").replaceWith(frame);
}
