// What was recorded: the list, and what is asked of the server for one episode.
"use strict";

const LONGEST_SENTENCE = 90;
const shelf = { before: null, total: 0, shown: null, isAsked: false, isExpected: false };

/** What the server says to a question, or an error with its words. */
async function ask(path) {
  const answer = await fetch(path + (path.includes("?") ? query.replace("?", "&") : query));
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Error(told.error ? told.error.message : "the server answered " + answer.status);
}

function ago(seconds) {
  const date = new Date(1000 * seconds), today = new Date().toDateString() === date.toDateString();
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return today ? time : date.toLocaleDateString([], { day: "numeric", month: "short" }) + ", " + time;
}
function shortened(text) { return text.length > LONGEST_SENTENCE ? text.slice(0, LONGEST_SENTENCE - 1) + "…" : text; }
/** How an episode ended, in a word and a mark that needs no colour. */
function endOf(row) {
  const word = (row.outcome || "").replaceAll("_", " ");
  return row.success === null ? word : (row.success ? "✓ " : "✗ ") + (word || (row.success ? "done" : "not done"));
}

function drawRow(row) {
  const item = element("li"), button = element("button", "episode");
  button.type = "button";
  button.append(element("span", "number", "#" + row.episode), element("span", "words", shortened(row.sentence || "(nothing was said)")));
  const about = [row.began_unix_s === null ? "" : ago(row.began_unix_s), row.seconds.toFixed(1) + " s", row.by_person > 0 ? "a person: " + Math.max(1, Math.round(100 * row.by_person)) + " %" : ""];
  const small = element("small", "", about.filter(word => word).join(" · "));
  small.prepend(element("span", row.success ? "good" : "uneasy", endOf(row)), " · ");
  button.append(small);
  button.setAttribute("aria-pressed", String(shelf.shown === row.episode));
  button.addEventListener("click", () => openEpisode(row.episode));
  item.append(button);
  return item;
}

/** The newest episodes, or those before a number. */
async function listEpisodes(before) {
  if (shelf.isAsked) {
    // The answer on its way may be older than what is expected.
    if (before === null) shelf.isExpected = true;
    return;
  }
  shelf.isAsked = true;
  try {
    const told = await (await ask("/api/episodes" + (before === null ? "" : "?before=" + before))).json();
    shelf.before = before;
    shelf.total = told.total;
    write("episode-count", told.total === 1 ? "1 recorded" : told.total + " recorded");
    $("episode-list").replaceChildren(...told.episodes.map(drawRow));
    if (!told.episodes.length) $("episode-list").append(element("li", "soft", "Nothing was recorded yet. Every sentence that moves the arm becomes an episode."));
    const last = told.episodes[told.episodes.length - 1];
    $("older").disabled = !last || last.episode === 0;
    $("older").dataset.before = last ? last.episode : "";
    $("newest").disabled = before === null;
    show("episode-pages", told.total > told.episodes.length);
  } catch (error) {
    $("episode-list").replaceChildren(element("li", "uneasy", "The recordings cannot be listed: " + error.message));
  } finally { shelf.isAsked = false; }
  if (shelf.isExpected) {
    shelf.isExpected = false;
    // Who has turned to older ones meanwhile stays there.
    if (shelf.before === null) listEpisodes(null);
  }
}

/** A new episode may be there: it is made of the stream just after the end. */
function expectEpisode() {
  if (page.card && page.card.capabilities.includes("episodes") && shelf.before === null) setTimeout(() => listEpisodes(null), 1200);
}

async function openEpisode(number) {
  stopPlaying();
  shelf.shown = number;
  for (const button of document.querySelectorAll(".episode")) button.setAttribute("aria-pressed", String(button.querySelector(".number").textContent === "#" + number));
  show("replay", true);
  write("replay-title", "Episode " + number + " …");
  try {
    const course = await (await ask("/api/episodes/" + number)).json();
    if (shelf.shown === number) showCourse(number, course);
  } catch (error) {
    closeCourse();
    write("replay-title", "Episode " + number + " cannot be shown: " + error.message);
  }
}

$("older").addEventListener("click", () => listEpisodes(Number($("older").dataset.before)));
$("newest").addEventListener("click", () => listEpisodes(null));
