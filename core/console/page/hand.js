// A person's presence, and the arm in a person's hand.
"use strict";

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
  if (!button || !hasArm() || event.target.matches("#text, #replay-at") || event.ctrlKey || event.altKey || event.metaKey) return;
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
