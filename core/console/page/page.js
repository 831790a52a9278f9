// What all parts of the operator's page share: its state, and how it is written.
"use strict";

const VERSION = 1;
/** After so long without a state, or without a tick of the robot, nothing is live (ms). */
const STALE_MS = 1000;
const LONGEST_LOG = 400;
const CHART_SECONDS = 60;

const $ = id => document.getElementById(id);
const token = new URLSearchParams(location.search).get("token");
const query = token ? "?token=" + encodeURIComponent(token) : "";
const now = () => performance.now();

const page = {
  card: null, state: null, stateAt: -Infinity, run: null, points: [],
  stopAskedAt: -Infinity, stopToldAt: -Infinity, stopFailed: false, missing: null, holding: false, isLesson: false,
};

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
function show(id, isShown) { $(id).hidden = !isShown; }
/** Writes only what changed, so that screen readers speak once. */
function write(id, text) { if ($(id).textContent !== text) $(id).textContent = text; }
