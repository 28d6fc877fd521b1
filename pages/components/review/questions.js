// Five questions answered by digits or taps, without a round trip to the server for each. All texts are set
// as text, never as markup.
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".ivan-questions");
  // Streamlit may call this again for the same screen, as after a save that failed: what was picked
  // and typed since stays.
  const kept = window.ivanQuestions?.tag === data.tag ? window.ivanQuestions : {
    tag: data.tag, answers: new Map(Object.entries(data.answers)), note: data.note, touched: new Set(),
  };
  window.ivanQuestions = kept;
  kept.forget?.();
  const { answers, touched } = kept;
  const boxes = new Map();
  let current = null;
  let sent = false;

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  };
  const isOpen = (one) => !answers.has(one.key) && !(one.many && !one.must);
  const digits = data.questions.filter((one) => !one.many);

  const paint = () => {
    for (const one of data.questions) {
      const { box, inputs, state } = boxes.get(one.key);
      box.classList.toggle("current", one.key === current);
      const value = answers.get(one.key);
      for (const [input, option] of inputs) {
        input.checked = answers.has(one.key) && (one.many && Array.isArray(value)
          ? value.includes(option) : value === option);
      }
      const suggested = data.suggested.includes(one.key) && !touched.has(one.key);
      state.style.visibility = suggested ? "visible" : "hidden";
      if (!isOpen(one)) box.classList.remove("missing");
    }
  };
  const goTo = (key) => {
    current = key;
    paint();
    if (key) bring(boxes.get(key).box);
  };
  // The reply stays in view above the questions, the bar below them: between both a question is seen.
  const reply = document.querySelector(".st-key-review-reply .st-key-the-reply");
  const bring = (box) => {
    const above = reply && reply.getBoundingClientRect();
    const narrow = above && above.right > box.getBoundingClientRect().left;
    box.style.scrollMarginTop = `${narrow ? above.height + 16 : 8}px`;
    box.style.scrollMarginBottom = `${innerHeight - finish.getBoundingClientRect().top + 16}px`;
    box.scrollIntoView({ block: "nearest" });
  };
  const answer = (one, option, moveOn) => {
    touched.add(one.key);
    if (one.many && option !== null) {
      const before = answers.get(one.key);
      const chosen = new Set(Array.isArray(before) ? before : []);
      if (!chosen.delete(option)) chosen.add(option);
      if (chosen.size) answers.set(one.key, one.options.map((o) => o.value).filter((v) => chosen.has(v)));
      else answers.delete(one.key);
    } else if (one.many && answers.get(one.key) === null) {
      answers.delete(one.key);
    } else {
      answers.set(one.key, option);
    }
    said.textContent = "";
    if (!moveOn) return paint();
    const after = digits.slice(digits.indexOf(one) + 1);
    const next = after.find(isOpen) ?? digits.find(isOpen) ?? after[0];
    goTo(next ? next.key : null);
  };
  const save = () => {
    if (sent) return;
    const open = data.questions.filter(isOpen);
    if (open.length) {
      for (const one of open) boxes.get(one.key).box.classList.add("missing");
      said.textContent = open.length === 1
        ? "One question is still open: answer it, or say can't tell."
        : `${open.length} questions are still open: answer them, or say can't tell.`;
      goTo(open[0].key);
      boxes.get(open[0].key).box.focus({ preventScroll: true });
      return;
    }
    sent = true;
    button.disabled = true;
    const told = {};
    for (const one of data.questions) told[one.key] = answers.has(one.key) ? answers.get(one.key) : [];
    setTriggerValue("saved", { answers: told, note: note.value });
  };

  root.replaceChildren();
  root.append(make("h2", "", data.group));
  for (const one of data.questions) {
    const box = make("fieldset", one.many ? "many" : "single");
    box.tabIndex = -1;
    const legend = make("legend", "", one.question);
    const filled = data.suggested.includes(one.key);
    const state = make("span", "state", filled ? "filled in beforehand" : "");
    const help = make("p", "help", one.help);
    help.id = `help-${one.key}`;
    box.setAttribute("aria-describedby", help.id);
    const row = make("div", "options");
    const inputs = [];
    one.options.forEach((option, at) => {
      const label = make("label");
      const input = make("input");
      input.type = one.many ? "checkbox" : "radio";
      input.name = `${data.tag}-${one.key}`;
      input.addEventListener("click", () => answer(one, option.value, !one.many));
      label.append(input, make("span", "", option.label));
      if (!one.many) {
        const key = make("kbd", "", String(at + 1));
        key.setAttribute("aria-hidden", "true");
        label.append(key);
      }
      row.append(label);
      inputs.push([input, option.value]);
    });
    box.append(legend, help, row, state);
    boxes.set(one.key, { box, inputs, state });
    root.append(box);
  }
  const fold = make("details", "note");
  fold.open = Boolean(kept.note);
  const noteLabel = make("label", "", "A note, if you like");
  const note = make("textarea");
  note.rows = 2;
  note.maxLength = data.longest;
  note.value = kept.note;
  note.addEventListener("input", () => { kept.note = note.value; });
  noteLabel.append(note);
  fold.append(make("summary", "", "Write a note"), noteLabel);
  const said = make("p", "said");
  said.setAttribute("role", "status");
  const button = make("button", "save", data.save);
  button.append(make("span", "by-keys", " (Enter)"));
  button.type = "button";
  button.addEventListener("click", save);
  const finish = make("div", "finish");
  finish.append(said, button);
  root.append(fold, finish);
  if (reply) {  // it scrolls by itself where it is long, by keys too
    reply.tabIndex = 0;
    reply.setAttribute("role", "region");
    reply.setAttribute("aria-label", "The reply");
  }

  const onKey = (event) => {
    const target = event.composedPath()[0];
    const tag = target instanceof Element ? target.tagName : "";
    const types = tag === "TEXTAREA" || (tag === "INPUT" && !["radio", "checkbox"].includes(target.type));
    if (event.key === "Enter" && event.repeat && tag !== "TEXTAREA") {
      event.preventDefault();
      return;
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      save();
      return;
    }
    if (types || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Enter") {
      if (["BUTTON", "A", "SUMMARY"].includes(tag)) return;
      event.preventDefault();
      save();
      return;
    }
    const one = digits.find((question) => question.key === current);
    if (one && /^[1-9]$/.test(event.key) && !event.repeat) {
      const option = one.options[Number(event.key) - 1];
      if (option) answer(one, option.value, true);
      return;
    }
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step && tag !== "INPUT" && digits.length) {
      const at = digits.findIndex((question) => question.key === current);
      const to = at < 0 ? (step < 0 ? digits.length - 1 : 0) : at + step;
      if (to >= 0 && to < digits.length) {
        event.preventDefault();
        goTo(digits[to].key);
      }
    }
  };
  window.addEventListener("keydown", onKey);
  current = (digits.find(isOpen) ?? digits[0] ?? { key: null }).key;
  paint();
  kept.forget = () => window.removeEventListener("keydown", onKey);
  return kept.forget;
}
