// The operator's page. Two connections: `api/live` brings state, plan and pictures,
// `api/events` brings what happens and takes orders. Nothing here is kept as true
// for longer than the server says it: what is old is shown as old.
"use strict";

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
  if (e.notice) return noticed(e);
  if (e.stopped) {
    // It came by both ways.
    if (now() - page.stopToldAt > 2000) line(null, "STOP (" + e.stopped + ")", "uneasy");
    page.stopToldAt = now();
    return;
  }
  const tried = [e.attempt > 1 ? "try " + e.attempt : "", e.alternative || ""].filter(word => word).join(", ");
  const tries = tried && " (" + tried + ")";
  const why = e.reason ? ": " + e.reason : "";
  switch (e.event) {
    case "plan": return line(e.t, e.plan.say || e.plan.question || e.plan.verdict, e.plan.verdict === "execute" ? "" : "uneasy");
    case "step_started": return line(e.t, "→ " + e.task + tries);
    case "step_finished": return line(e.t, (e.outcome === "done" ? "✓ " : "✗ ") + e.outcome.replace("_", " ") + why, e.outcome === "done" ? "good" : "uneasy");
    case "handoff": return line(e.t, "I hold" + why, "uneasy");
    case "handoff_state":
      if (e.cause === "taught") page.isLesson = true;
      if (page.isLesson) {
        if (e.from === "ask" && e.to === "take_over") line(e.t, "the arm is yours: show it", "uneasy");
        page.isLesson = e.to === "hold" || e.to === "ask" || e.to === "take_over";
        return;
      }
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
    case "finished":
      expectEpisode();
      return line(e.t, e.success ? "done" : e.outcome.replaceAll("_", " ") + why, e.success ? "good" : "uneasy");
    case "lost": return line(null, e.count + " events were lost on the way", "uneasy");
  }
}

/** What is no event of a run: what was taught, what was learned. */
function noticed(e) {
  const isGood = e.taught ? e.taught.kept : e.learning && e.learning.state === "accepted";
  const isBad = e.taught ? !e.taught.kept : e.learning && ["failed", "rolled_back"].includes(e.learning.state);
  if (e.taught) expectEpisode();
  line(null, e.notice, isGood ? "good" : isBad ? "uneasy" : "");
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
  show("teach", card.capabilities.includes("teach"));
  show("episodes", card.capabilities.includes("episodes"));
  if (card.capabilities.includes("episodes")) listEpisodes(shelf.before);
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
  drawLesson(state.teaching);
  $("teach").disabled = isStale || isStopped || state.is_busy || !state.at_rest;
  show("learning", Boolean(state.learning));
  if (state.learning) write("learning", state.learning[0].toUpperCase() + state.learning.slice(1) + ".");
  if (!hasArm()) still();
  const isAlone = state.is_busy && !state.teaching && !hasArm() && !(page.run && page.run.question);
  show("pause", isAlone);
  show("take-over", isAlone && page.card !== null && page.card.capabilities.includes("take_over"));
  drawArm(state);
  write("authority", AUTHORITIES[state.authority] || state.authority);
  write("hz", state.control.hz.toFixed(0) + " Hz");
  write("late", state.control.late_p99_ms.toFixed(2) + " ms");
  write("missed", String(state.control.missed_ticks));
  write("decision", state.policy ? state.policy.last_ms.toFixed(1) + " ms" : "–");
  write("slow", state.policy ? state.policy.p95_ms.toFixed(1) + " ms" : "–");
  drawHealth(state.health || []);
  drawChart(state.t);
}

/** What the person shows, where one teaches; else the ways out of a take-over. */
function drawLesson(lesson) {
  show("lesson-row", Boolean(lesson));
  show("lesson-words", Boolean(lesson));
  show("hand-row", !lesson);
  write("hand-title", lesson ? "Show me: " + lesson.step : "You have the arm");
  show("lesson-next", Boolean(lesson && lesson.next));
  if (lesson && lesson.next) write("lesson-next", "Next: " + lesson.next);
}

// --- Controls --------------------------------------------------------------------

$("stop").addEventListener("click", stop);
$("reset").addEventListener("click", () => {
  if (page.card.dead_man_ms !== null && !page.holding) return line(null, "Hold the run button, or F2, while you reset.", "uneasy");
  say("/resume");
});
$("teach").addEventListener("click", () => {
  const sentence = $("text").value.trim();
  if (!sentence) { line(null, "Type what you will show, then press Teach.", "uneasy"); return $("text").focus(); }
  order({ teach: sentence }, "/api/teach", { sentence });
  $("text").value = "";
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
