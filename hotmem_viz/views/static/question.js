// A question: what is asked, a guess, what is said to it, and the answer when it is asked for.

import { makeElement, setText } from "./dom.js";
import { pageTheme, watchPageTheme } from "./theme.js";

let questionsMade = 0;

/** The part that takes the guess: radio buttons, or a field for a number. */
function makeAnswerField(asked, name) {
  if (asked.choices.length === 0) {
    const label = `Your answer${asked.unit ? `, ${asked.unit}` : ""}`;
    const input = makeElement("input", "q-number", { type: "text", inputmode: "decimal", id: name });
    const field = makeElement("p", "q-entered", {}, [
      makeElement("label", "", { for: name }, [label]),
      input,
    ]);
    return { field, read: () => input.value.trim() };
  }
  const options = asked.choices.map((choice, i) => {
    const input = makeElement("input", "", { type: "radio", name, value: choice });
    const letter = makeElement("span", "q-letter", {}, [String.fromCharCode(65 + i)]);
    return makeElement("label", "q-choice", {}, [input, letter, makeElement("span", "", {}, [choice])]);
  });
  const legend = makeElement("legend", "q-hidden", {}, ["Your answer"]);
  const field = makeElement("fieldset", "q-choices", {}, [legend, ...options]);
  return { field, read: () => field.querySelector("input:checked")?.value ?? "" };
}

function showVerdict(element, { right, text }) {
  const state = right === null ? "unread" : right ? "right" : "wrong";
  element.dataset.verdict = state;
  // A sign beside the colour; the words follow for everybody.
  setText(element, `${{ right: "✓ ", wrong: "✗ ", unread: "" }[state]}${text}`);
}

/** Draw the question into `el`; the widget's render function. */
export function renderQuestion({ model, el }) {
  const asked = model.get("asked");
  questionsMade += 1;
  const { field, read } = makeAnswerField(asked, `hotmem-question-${questionsMade}`);
  const verdict = makeElement("p", "q-verdict", { role: "status", "aria-live": "polite" });
  const answer = makeElement("div", "q-answer", { role: "status", "aria-live": "polite", hidden: true });
  const check = makeElement("button", "q-button q-first", { type: "submit" }, ["Check"]);
  const reveal = makeElement("button", "q-button", { type: "button" }, ["Reveal"]);
  const texts = asked.text.map((part) => makeElement("p", "", {}, [part]));
  const form = makeElement("form", "q-form", { novalidate: true }, [
    field,
    makeElement("div", "q-buttons", {}, [check, reveal]),
  ]);
  const root = makeElement(
    "section",
    "question",
    { "aria-label": "Question", "data-lm-suppress-shortcuts": "true" },
    [...texts, form, verdict, answer],
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (read() === "") showVerdict(verdict, { right: null, text: "Answer first: a guess is enough." });
    else model.send({ type: "check", guess: read() });
  });
  reveal.addEventListener("click", () => model.send({ type: "reveal" }));
  const onMessage = (message) => {
    if (message.type === "verdict") showVerdict(verdict, message);
    if (message.type === "answer") {
      // Made and escaped by views/question_html.py.
      answer.innerHTML = message.html;
      answer.hidden = false;
    }
  };
  model.on("msg:custom", onMessage);
  const show = () => { root.dataset.theme = pageTheme(root); };
  const stop = watchPageTheme(show);
  el.append(root);
  show();
  root.dataset.ready = "true";
  return () => {
    stop();
    model.off("msg:custom", onMessage);
  };
}
