// The operator's page. Two connections: `api/live` brings state, plan and pictures,
// `api/events` brings what happens and takes orders. Nothing here is kept as true
// for longer than the server says it: what is old is shown as old.
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
  stopAskedAt: -Infinity, stopToldAt: -Infinity, stopFailed: false, missing: null, holding: false,
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

// --- Connections -----------------------------------------------------------------

/** A connection that comes back by itself, each time a little later, 3 s at most. */
class Line {
  constructor(path, onmessage, onopen) {
    Object.assign(this, { path, onmessage, onopen, wait: 200, socket: null });
    this.open();
  }
  open() {
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    this.socket = new WebSocket(scheme + location.host + this.path + query);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => { this.wait = 200; if (this.onopen) this.onopen(); };
    this.socket.onmessage = message => this.onmessage(message.data);
    this.socket.onclose = () => {
      setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(3000, this.wait * 2);
    };
  }
  get isOpen() { return this.socket.readyState === WebSocket.OPEN; }
  send(value) { if (this.isOpen) this.socket.send(JSON.stringify(value)); return this.isOpen; }
}

const events = new Line("/api/events", data => happened(JSON.parse(data)), () => $("log").replaceChildren());
const live = new Line("/api/live", data => typeof data === "string" ? told(JSON.parse(data)) : pictured(data), () => {
  page.run = null; page.points = [];
});

async function post(path, body) {
  const answer = await fetch(path + query, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), keepalive: true,
  });
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Error(told.error ? told.error.message : "the server answered " + answer.status);
  }
}
/** An order by the open connection, else by a request. */
async function order(value, path, body) {
  if (events.send(value)) return;
  try { await post(path, body); } catch (error) { line(null, "not delivered: " + error.message, "uneasy"); }
}

// --- Orders ----------------------------------------------------------------------

function say(text) { return order({ say: text }, "/api/say", { text }); }

/** By both ways: a connection may be dead without knowing it. */
function stop() {
  page.stopAskedAt = now();
  page.stopFailed = false;
  events.send({ stop: "controlled" });
  insist();
  refresh();
}
/** Demands the stop by request, again and again until the server has taken it. */
function insist() {
  const asked = page.stopAskedAt;
  post("/api/stop", { kind: "controlled" }).then(
    () => { page.stopFailed = false; },
    () => { if (asked === page.stopAskedAt) { page.stopFailed = true; setTimeout(insist, 500); } });
}

function answer(question, choice) {
  for (const button of $("choices").children) button.disabled = true;
  order({ answer: { question, choice } }, "/api/answer", { question, choice });
}

// --- What happens ----------------------------------------------------------------

function line(t, text, kind) {
  const log = $("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const p = element("p", kind);
  if (typeof t === "number") p.append(element("time", "", t.toFixed(1) + " s"));
  p.append(text);
  log.append(p);
  while (log.children.length > LONGEST_LOG) log.firstChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function happened(e) {
  if (e.error) return line(null, e.error.message, "uneasy");
  if (e.said) return line(null, e.said, "you");
  if (e.stopped) {
    // It came by both ways.
    if (now() - page.stopToldAt > 2000) line(null, "STOP (" + e.stopped + ")", "uneasy");
    page.stopToldAt = now();
    return;
  }
  const tries = e.attempt > 1 ? " (try " + e.attempt + (e.alternative ? ", " + e.alternative : "") + ")" : "";
  const why = e.reason ? ": " + e.reason : "";
  switch (e.event) {
    case "plan": return line(e.t, e.plan.say || e.plan.question || e.plan.verdict, e.plan.verdict === "execute" ? "" : "uneasy");
    case "step_started": return line(e.t, "→ " + e.task + tries);
    case "step_finished": return line(e.t, (e.outcome === "done" ? "✓ " : "✗ ") + e.outcome.replace("_", " ") + why, e.outcome === "done" ? "good" : "uneasy");
    case "handoff": return line(e.t, "I hold" + why, "uneasy");
    case "handoff_state":
      if (e.to === "take_over") return line(e.t, e.phase === "correction" ? "what you do now is the correction" : "you have the arm", "uneasy");
      return e.to === "safe_stop" ? line(e.t, "nobody answered: safe stop", "uneasy") : undefined;
    case "paused": return line(e.t, "paused" + why, "uneasy");
    case "resumed": return line(e.t, "I go on");
    case "skipped": return line(e.t, "left out", "uneasy");
    case "edited": return line(e.t, e.say);
    case "edit_refused": return line(e.t, "The plan stays as it is" + why, "uneasy");
    case "answered": return line(e.t, e.say);
    case "replanned": return line(e.t, "I plan anew" + why, "uneasy");
    case "safety": return line(e.t, e.limit.replaceAll("_", " ") + ": " + e.action, "uneasy");
    case "finished": return line(e.t, e.success ? "done" : e.outcome.replaceAll("_", " ") + why, e.success ? "good" : "uneasy");
    case "lost": return line(null, e.count + " events were lost on the way", "uneasy");
  }
}

// --- What is true now ------------------------------------------------------------

function told(message) {
  if (message.v !== VERSION) return;
  switch (message.type) {
    case "hello": return met(message.robot);
    case "run": page.run = message; drawPlan(); drawQuestion(); return;
    case "confidence":
      page.points.push(...message.points);
      page.points.splice(0, page.points.length - 600);
      return;
    case "pong":
      page.missing = null;
      return write("trip", (now() - message.ping).toFixed(0) + " ms");
    case "state":
      page.state = message; page.stateAt = now();
      live.send({ seen: message.seq });
      return refresh();
  }
}

function met(card) {
  page.card = card;
  write("robot", card.embodiment + (card.policy ? " · " + card.policy : ""));
  show("presence", card.dead_man_ms !== null);
  show("scene", card.capabilities.includes("new_scene"));
  makeJoints(card);
  makeCameras(card.cameras);
  beats(card.dead_man_ms);
}

const AUTHORITIES = { robot: "the robot", person: "a person", nobody: "nobody" };

function refresh() {
  const state = page.state, silent = now() - page.stateAt;
  const age = state ? silent + state.age_ms : Infinity;
  const isStale = !(age <= STALE_MS);
  document.body.classList.toggle("stale", isStale);
  document.body.classList.toggle("fresh", !isStale);
  show("lost", isStale || page.stopFailed);
  if (page.stopFailed) {
    write("lost", "STOP was not delivered: the robot does not answer. Use the emergency stop at the robot.");
  } else if (isStale) {
    const since = Number.isFinite(age) ? " for " + Math.round(age / 1000) + " s" : "";
    write("lost", silent <= STALE_MS && state
      ? "The robot's control loop has been silent" + since + ". What is shown is old."
      : "No connection to the robot" + since + ". What is shown is old. STOP is still tried.");
  }
  if (!state) return;
  const isStopped = state.mode === "stopped";
  const isStopping = now() - page.stopAskedAt < 3000;
  const mode = isStopped ? "stopped" : isStopping ? "stopping" : state.mode === "following" ? "moving" : state.is_busy ? "at rest, busy" : "at rest";
  write("mode", mode);
  $("mode").className = "pill" + (isStopped ? " stopped" : mode === "moving" ? " moving" : "");
  show("halted", isStopped);
  write("why", state.reason ? state.reason[0].toUpperCase() + state.reason.slice(1) + "." : "");
  $("reset").disabled = isStale || !state.at_rest;
  show("hand", !isStale && hasArm());
  if (!hasArm()) still();
  show("pause", state.is_busy && !(page.run && page.run.question));
  drawArm(state);
  write("authority", AUTHORITIES[state.authority] || state.authority);
  write("hz", state.control.hz.toFixed(0) + " Hz");
  write("late", state.control.late_p99_ms.toFixed(2) + " ms");
  write("missed", String(state.control.missed_ticks));
  write("decision", state.policy ? state.policy.last_ms.toFixed(1) + " ms" : "–");
  write("slow", state.policy ? state.policy.p95_ms.toFixed(1) + " ms" : "–");
  drawChart(state.t);
}

// --- Plan and question -----------------------------------------------------------

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

// --- Arm -------------------------------------------------------------------------

let bars = [];

function makeJoints(card) {
  const all = card.joints.concat(card.has_gripper ? [{ name: "gripper", unit: "%", min: 0, max: 1 }] : []);
  bars = all.map(joint => {
    const row = element("div", "joint"), bar = element("div", "bar"), pin = element("i"), value = element("output");
    bar.setAttribute("role", "meter");
    bar.setAttribute("aria-label", joint.name);
    bar.setAttribute("aria-valuemin", joint.min);
    bar.setAttribute("aria-valuemax", joint.max);
    bar.append(pin);
    const name = element("span", "", joint.name.replace(/^.*?(?=joint)/, "").replaceAll("_", " "));
    name.title = joint.name;
    row.append(name, bar, value);
    return { joint, row, bar, pin, value };
  });
  $("joints").replaceChildren(...bars.map(bar => bar.row));
}

function drawArm(state) {
  const values = state.gripper === null ? state.joints : state.joints.concat([state.gripper]);
  bars.forEach(({ joint, bar, pin, value }, index) => {
    const at = values[index];
    if (typeof at !== "number") return;
    const share = Math.min(1, Math.max(0, (at - joint.min) / (joint.max - joint.min)));
    pin.style.left = 100 * share + "%";
    bar.classList.toggle("near", joint.unit !== "%" && (share < 0.04 || share > 0.96));
    const words = joint.unit === "%" ? (100 * at).toFixed(0) + " %" : at.toFixed(2) + " " + joint.unit;
    if (value.textContent !== words) {
      value.textContent = words;
      bar.setAttribute("aria-valuenow", at.toFixed(3));
      bar.setAttribute("aria-valuetext", joint.unit === "%" ? words + " open" : words);
    }
  });
}

// --- Confidence ------------------------------------------------------------------

function drawChart(t) {
  const last = page.points[page.points.length - 1];
  write("sure", last ? last[1].toFixed(2) + ", holds below " + last[2].toFixed(2) : "no decision yet");
  const canvas = $("chart"), ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width) return;
  if (canvas.width !== Math.round(width * ratio)) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
  const g = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
  const color = name => style.getPropertyValue(name).trim();
  const left = 30, bottom = height - 18, top = 8;
  const x = at => left + (width - left - 4) * (1 - (t - at) / CHART_SECONDS);
  const y = score => bottom - (bottom - top) * Math.min(1, Math.max(0, score));
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  g.font = "12px system-ui, sans-serif";
  g.lineWidth = 1;
  for (const score of [0, 0.5, 1]) {
    g.strokeStyle = color("--line"); g.fillStyle = color("--soft");
    g.beginPath(); g.moveTo(left, y(score)); g.lineTo(width - 4, y(score)); g.stroke();
    g.textAlign = "right"; g.textBaseline = "middle"; g.fillText(String(score), left - 6, y(score));
  }
  g.textBaseline = "alphabetic"; g.textAlign = "left"; g.fillText("−" + CHART_SECONDS + " s", left, height - 3);
  g.textAlign = "right"; g.fillText("now", width - 4, height - 3);
  // A gap of two seconds is a pause between primitives, not a line through it.
  const pieces = [];
  for (const point of page.points) {
    if (point[0] < t - CHART_SECONDS || point[0] > t + 1) continue;
    const piece = pieces[pieces.length - 1];
    if (piece && point[0] - piece[piece.length - 1][0] < 2) piece.push(point); else pieces.push([point]);
  }
  g.save(); g.beginPath(); g.rect(left, 0, width - left, height); g.clip();
  for (const piece of pieces) {
    const path = index => { g.beginPath(); piece.forEach((point, i) => g[i ? "lineTo" : "moveTo"](x(point[0]), y(point[index]))); };
    path(2); g.lineTo(x(piece[piece.length - 1][0]), bottom); g.lineTo(x(piece[0][0]), bottom); g.fillStyle = color("--under"); g.fill();
    path(2); g.strokeStyle = color("--stop"); g.setLineDash([5, 4]); g.lineWidth = 1.5; g.stroke(); g.setLineDash([]);
    path(1); g.strokeStyle = color("--go"); g.lineWidth = 2; g.stroke();
  }
  g.restore();
}

// --- Cameras ---------------------------------------------------------------------

const cameras = new Map();

function makeCameras(cards) {
  for (const label of [...$("shown").querySelectorAll("label.camera")]) label.remove();
  cameras.clear();
  for (const card of cards) {
    const box = element("input"), label = element("label", "camera");
    box.type = "checkbox"; box.checked = card.is_shown;
    box.addEventListener("change", chooseCameras);
    label.append(box, " " + card.key);
    $("shown").append(label);
    const figure = element("figure", card.width <= card.height ? "small" : card.width > 400 ? "wide" : ""), canvas = element("canvas"), caption = element("figcaption", "", card.key);
    const scale = Math.max(1, Math.round(480 / card.width));
    canvas.width = card.width * scale; canvas.height = card.height * scale;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "Live picture of the camera " + card.key);
    figure.append(canvas, caption);
    cameras.set(card.key, { card, box, figure, canvas, caption, bitmap: null, t: 0, gaze: null, isDecoding: false });
  }
  chooseCameras();
  show("cameras", cards.length > 0);
}

function chooseCameras() {
  const chosen = [...cameras.values()].filter(camera => camera.box.checked);
  $("pictures").replaceChildren(...chosen.map(camera => camera.figure));
  live.send({ show: chosen.map(camera => camera.card.key) });
}

/** A binary message: length of the header, header, bytes. */
function pictured(data) {
  const length = new DataView(data).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  const camera = cameras.get(header.camera), bytes = new Uint8Array(data, 4 + length);
  if (header.v !== VERSION || !camera) return;
  if (header.type === "attention") { camera.gaze = { t: header.t, at: now(), image: gaze(header, bytes) }; return; }
  // While one is decoded the next ones are passed over: they are newer every time.
  if (header.type !== "picture" || camera.isDecoding) return;
  camera.isDecoding = true;
  createImageBitmap(new Blob([bytes], { type: "image/jpeg" })).then(bitmap => {
    if (camera.bitmap) camera.bitmap.close();
    camera.bitmap = bitmap; camera.t = header.t;
    drawCamera(camera);
  }).catch(() => {}).finally(() => { camera.isDecoding = false; });
}

function gaze(header, weights) {
  const canvas = element("canvas");
  canvas.width = header.columns; canvas.height = header.rows;
  const g = canvas.getContext("2d"), image = g.createImageData(header.columns, header.rows);
  weights.forEach((weight, index) => image.data.set([255, 0, 200, Math.min(170, weight)], 4 * index));
  g.putImageData(image, 0, 0);
  const most = weights.indexOf(255);
  return { canvas, x: (most % header.columns + 0.5) / header.columns, y: (Math.floor(most / header.columns) + 0.5) / header.rows };
}

function drawCamera(camera) {
  const { canvas, bitmap, gaze } = camera, g = canvas.getContext("2d");
  g.imageSmoothingQuality = "high";
  g.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  // Where it looked two seconds ago is not where it looks.
  const isNew = gaze && now() - gaze.at < 2000;
  if (isNew && $("overlay").checked) {
    const { image } = gaze, radius = canvas.width / 18;
    g.drawImage(image.canvas, 0, 0, canvas.width, canvas.height);
    // A ring in black and white is seen on every colour.
    for (const [color, width] of [["#000", 5], ["#fff", 2]]) {
      g.strokeStyle = color; g.lineWidth = width;
      g.beginPath(); g.arc(image.x * canvas.width, image.y * canvas.height, radius, 0, 7); g.stroke();
    }
  }
  const old = page.state ? page.state.t - camera.t : 0;
  camera.caption.textContent = camera.card.key + (isNew ? " · where the policy looks" : "") + (old > STALE_MS / 1000 ? " · " + old.toFixed(0) + " s old" : "");
}

// --- The person's presence -------------------------------------------------------

let beating;
function beats(every) {
  clearInterval(beating);
  if (every === null) return;
  beating = setInterval(() => { if (page.holding) events.send({ beat: true }); }, Math.max(10, every / 4));
}
function hold(isHeld) {
  if (page.card && page.card.dead_man_ms === null) return;
  if (isHeld && !page.holding) events.send({ beat: true });
  page.holding = isHeld;
  $("hold").setAttribute("aria-pressed", String(isHeld));
  write("hold", isHeld ? "Running while held" : "Hold to run");
}
const letGo = () => hold(false);
$("hold").addEventListener("pointerdown", event => { $("hold").setPointerCapture(event.pointerId); hold(true); });
for (const kind of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) $("hold").addEventListener(kind, letGo);
$("hold").addEventListener("contextmenu", event => event.preventDefault());
$("hold").addEventListener("keydown", event => { if (event.key === " " || event.key === "Enter") { event.preventDefault(); hold(true); } });
$("hold").addEventListener("keyup", event => { if (event.key === " " || event.key === "Enter") letGo(); });
// Who looks elsewhere does not watch the robot.
addEventListener("blur", letGo);
document.addEventListener("visibilitychange", () => { if (document.hidden) letGo(); });

// --- By hand ---------------------------------------------------------------------

// A wish is said again and again while a button, a key or a gamepad's shoulder button
// is held; letting go says "still". A page that dies says nothing, and the robot's own
// dead-man stops the arm.
const WISH_MS = 50, LINEAR_M_PER_S = 0.1, ANGULAR_RAD_PER_S = 0.5, DEAD_ZONE = 0.15;
let wishing = null, wished = null;

function hasArm() {
  return Boolean(page.card && page.state) && page.card.capabilities.includes("jog") && page.state.authority === "person";
}
const jog = wish => events.send({ jog: wish });
function wish(button, motion) {
  if (!hasArm() || wished) return;
  wished = button;
  button.classList.add("held");
  jog(motion);
  wishing = setInterval(() => jog(motion), WISH_MS);
}
function still() {
  if (!wished) return;
  clearInterval(wishing);
  wished.classList.remove("held");
  wished = null;
  jog({});
}
function motionOf(button) {
  const scaled = (text, speed) => text.split(" ").map(part => Number(part) * speed);
  if (button.dataset.linear) return { linear_m_per_s: scaled(button.dataset.linear, LINEAR_M_PER_S) };
  if (button.dataset.angular) return { angular_rad_per_s: scaled(button.dataset.angular, ANGULAR_RAD_PER_S) };
  return { gripper: Number(button.dataset.gripper) };
}
const byKey = new Map();
for (const button of document.querySelectorAll("#hand .jog button")) {
  byKey.set(button.getAttribute("aria-keyshortcuts"), button);
  button.addEventListener("pointerdown", event => { button.setPointerCapture(event.pointerId); wish(button, motionOf(button)); });
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) button.addEventListener(kind, still);
  button.addEventListener("contextmenu", event => event.preventDefault());
  button.addEventListener("keydown", event => { if (event.key === " " || event.key === "Enter") { event.preventDefault(); wish(button, motionOf(button)); } });
}
for (const button of document.querySelectorAll("[data-choose]")) {
  button.addEventListener("click", () => order({ choose: button.dataset.choose }, "/api/handoff", { choice: button.dataset.choose }));
}
addEventListener("keydown", event => {
  const button = byKey.get(event.key);
  if (!button || !hasArm() || event.target === $("text") || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  if (!event.repeat) wish(button, motionOf(button));
});
addEventListener("keyup", still);
addEventListener("blur", still);

/** Sticks move the tool while a shoulder button is held: left x and y, right turn and z. */
let padMoves = false;
setInterval(() => {
  if (!hasArm() || !document.hasFocus() || !navigator.getGamepads) return;
  const pad = [...navigator.getGamepads()].find(one => one && one.connected);
  const isHeld = pad && [4, 5].some(index => pad.buttons[index] && pad.buttons[index].pressed);
  if (!isHeld) { if (padMoves) jog({}); padMoves = false; return; }
  padMoves = true;
  const axis = index => { const at = pad.axes[index] || 0; return Math.abs(at) < DEAD_ZONE ? 0 : -at; };
  const motion = {
    linear_m_per_s: [axis(1) * LINEAR_M_PER_S, axis(0) * LINEAR_M_PER_S, axis(3) * LINEAR_M_PER_S],
    angular_rad_per_s: [0, 0, axis(2) * ANGULAR_RAD_PER_S],
  };
  const pressed = index => pad.buttons[index] && pad.buttons[index].pressed;
  if (pressed(0)) motion.gripper = 0;
  if (pressed(1)) motion.gripper = 1;
  jog(motion);
}, WISH_MS);

// --- Controls --------------------------------------------------------------------

$("stop").addEventListener("click", stop);
$("reset").addEventListener("click", () => {
  if (page.card.dead_man_ms !== null && !page.holding) return line(null, "Hold the run button, or F2, while you reset.", "uneasy");
  say("/resume");
});
$("pause").addEventListener("click", () => say("pause"));
$("scene").addEventListener("click", () => say("/reset"));
$("overlay").addEventListener("change", () => cameras.forEach(camera => { if (camera.bitmap) drawCamera(camera); }));
$("say").addEventListener("submit", event => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (text) say(text);
  $("text").value = "";
});
addEventListener("keydown", event => {
  if (event.key === "Escape") { event.preventDefault(); stop(); }
  if (event.key === "F2") { event.preventDefault(); hold(true); }
});
addEventListener("keyup", event => { if (event.key === "F2") letGo(); });

setInterval(refresh, 250);
setInterval(() => {
  // A connection that answers nothing is dead, whatever it says of itself.
  if (page.missing && now() - page.missing > 4000) { page.missing = null; live.socket.close(); events.socket.close(); return; }
  if (live.send({ ping: Math.floor(now()) }) && !page.missing) page.missing = now();
}, 1000);
