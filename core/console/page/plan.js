// Plan and question.
"use strict";

const MARKS = { waiting: "○", running: "▶", done: "✓", skipped: "⤼", failed: "✗", timed_out: "✗", interrupted: "■" };
const WORDS = { waiting: "waits", running: "running", done: "done", skipped: "left out", failed: "failed", timed_out: "timed out", interrupted: "interrupted" };

function drawStep(step) {
  const item = element("li", "step " + step.state);
  if (step.state === "running") item.setAttribute("aria-current", "step");
  const mark = element("span", "mark", MARKS[step.state]);
  mark.setAttribute("aria-hidden", "true");
  const words = element("span", "", step.text);
  const about = [step.state === "waiting" ? "" : WORDS[step.state], step.attempts > 1 ? "try " + step.attempts : "", step.reason || ""];
  const small = about.filter(word => word).join(" · ");
  if (small) words.append(element("small", "", small));
  item.append(mark, words);
  return item;
}

function drawPlan() {
  const run = page.run;
  write("goal", run.goal || run.say || (run.sentence ? "“" + run.sentence + "” …" : "Nothing was said yet."));
  const tree = [], shown = new Set();
  const list = (steps, inner) => {
    const made = element("ol", inner ? "inner" : "");
    made.append(...steps.map(drawStep));
    return made;
  };
  for (const part of run.parts) {
    const steps = part.steps.filter(index => run.steps[index] && !shown.has(index));
    steps.forEach(index => shown.add(index));
    if (!steps.length) continue;
    if (run.parts.length > 1) tree.push(element("h3", "", part.goal));
    tree.push(list(steps.map(index => run.steps[index]), run.parts.length > 1));
  }
  const rest = run.steps.filter((_, index) => !shown.has(index));
  if (rest.length) tree.push(list(rest, false));
  $("tree").replaceChildren(...tree);
  const ended = run.ended;
  write("ended", !ended ? "" : (ended.success ? "✓ done" : ended.outcome.replaceAll("_", " ")) + " after " + ended.seconds.toFixed(1) + " s" +
    (ended.reason && !ended.success ? ": " + ended.reason : ""));
  $("ended").className = ended && ended.success ? "good" : "uneasy";
}

function drawQuestion() {
  const question = page.run.question;
  show("unsure", page.run.holds && !question);
  show("asking", Boolean(question));
  if (!question) { $("asking").dataset.id = ""; return; }
  // The same question is left as it is: somebody may be about to press.
  if ($("asking").dataset.id === String(question.id)) return;
  $("asking").dataset.id = question.id;
  write("question", question.text);
  $("choices").replaceChildren(...question.choices.map((choice, index) => {
    const button = element("button", "", choice);
    button.type = "button";
    button.addEventListener("click", () => answer(question.id, index));
    return button;
  }));
}
