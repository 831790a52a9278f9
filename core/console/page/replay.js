// One recorded episode: pictures over time, curves, and who was in control.
"use strict";

/** Pictures that are asked for at once, those that are asked for ahead, and pixels kept. */
const MOST_ASKED = 4, AHEAD = 12, MOST_PIXELS = 30e6;
const WHO = { policy: ["the policy", "--go"], human: ["a person", "--good"], planner: ["the runtime", "--soft"], expert: ["the expert", "--warn"] };
const CURVES = ["--go", "--good", "--warn", "--bad", "--soft", "--ink"];

const replay = { number: null, course: null, frame: 0, t: 0, isPlaying: false, last: 0, kept: new Map(), asked: new Map(), pixels: 0, figures: new Map() };

/** What was so at a frame: the last band that begins no later. */
function bandAt(bands, frame) {
  let found = null;
  for (const band of bands) { if (band.from > frame) break; found = band; }
  return found ? found.word : "";
}
const whoWords = word => (WHO[word] || [word])[0];

function forget() {
  for (const picture of replay.kept.values()) if (picture) picture.close();
  replay.kept.clear();
  replay.asked.clear();
  replay.pixels = 0;
}
function closeCourse() {
  stopPlaying();
  forget();
  Object.assign(replay, { number: null, course: null });
  show("replay-body", false);
}

function showCourse(number, course) {
  forget();
  Object.assign(replay, { number, course, frame: 0, t: 0 });
  const row = course.row;
  write("replay-title", "#" + number + " “" + shortened(row.sentence) + "” " + endOf(row));
  replay.figures = new Map(course.cameras.map(key => {
    const figure = element("figure", "small"), canvas = element("canvas"), caption = element("figcaption", "", key);
    canvas.width = canvas.height = 96;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "Recorded picture of the camera " + key);
    figure.append(canvas, caption);
    return [key, { figure, canvas, caption }];
  }));
  $("replay-pictures").replaceChildren(...[...replay.figures.values()].map(one => one.figure));
  $("replay-at").max = Math.max(0, course.frames - 1);
  const hasScores = course.scores.some(score => typeof score === "number" && score < 1) || course.thresholds.some(value => value > 0);
  $("curve-trust").checked = hasScores;
  $("curve-joints").checked = !hasScores;
  show("replay-body", true);
  drawLegend();
  seek(0);
  $("replay-play").focus({ preventScroll: true });
}

/** What the colours mean: of the bands, and of the joints' curves. */
function drawLegend() {
  const course = replay.course;
  if (!course) return;
  const swatch = (words, draw) => {
    const label = element("span", "swatch", words), box = element("i");
    draw(box);
    label.prepend(box);
    return label;
  };
  const names = [...new Set(course.who.map(band => band.word))];
  const all = names.map(word => swatch(whoWords(word), box => { box.style.background = "var(" + (WHO[word] || ["", "--soft"])[1] + ")"; }));
  if ($("curve-joints").checked) all.push(...course.joints.map((name, joint) => swatch(name.replace(/^.*?(?=joint)/, "").replaceAll("_", " "), box => {
    box.className = "line";
    box.style.borderTopColor = "var(" + CURVES[joint % CURVES.length] + ")";
    box.style.borderTopStyle = joint < CURVES.length ? "solid" : "dashed";
  })));
  $("replay-who").replaceChildren(...all);
}

/** Another moment: its words at once, its pictures as they come. */
function seek(frame) {
  const course = replay.course;
  if (!course) return;
  replay.frame = Math.min(Math.max(0, frame), Math.max(0, course.frames - 1));
  if (Math.floor(replay.t * course.fps) !== replay.frame) replay.t = (replay.frame + 0.001) / course.fps;
  const at = replay.frame / course.fps, step = bandAt(course.steps, replay.frame), phase = bandAt(course.phases, replay.frame);
  const words = at.toFixed(1) + " s of " + (course.frames / course.fps).toFixed(1) + " s";
  const who = whoWords(bandAt(course.who, replay.frame)) + (phase === "recovery" || phase === "correction" ? " (" + phase + ")" : "");
  $("replay-at").value = replay.frame;
  $("replay-at").setAttribute("aria-valuetext", words + ", " + who + ", " + step);
  write("replay-time", words);
  write("replay-now", who + " · " + step);
  askForPictures();
  drawPictures();
  drawCourse();
}

const keyOf = (camera, frame) => camera + "/" + frame;
const hasPictures = frame => replay.course.cameras.every(camera => replay.kept.has(keyOf(camera, frame)));

/** The pictures of this moment, and while it plays those that follow. */
function askForPictures() {
  const course = replay.course;
  if (!course) return;
  const last = replay.isPlaying ? replay.frame + AHEAD : replay.frame;
  for (let frame = replay.frame; frame <= last && frame < course.frames; frame++) {
    for (const camera of course.cameras) {
      const key = keyOf(camera, frame);
      if (replay.kept.has(key) || replay.asked.has(key)) continue;
      if (replay.asked.size >= MOST_ASKED) return;
      fetchPicture(replay.number, camera, frame, key);
    }
  }
}

async function fetchPicture(number, camera, frame, key) {
  replay.asked.set(key, true);
  let bitmap = null, fault = "";
  try {
    const answer = await ask("/api/episodes/" + number + "/pictures/" + encodeURIComponent(camera) + "/" + frame);
    bitmap = await createImageBitmap(await answer.blob());
  } catch (error) { fault = error.message; }
  if (replay.number !== number) { if (bitmap) bitmap.close(); return; }
  replay.asked.delete(key);
  // What cannot be had is not asked for again.
  replay.kept.set(key, bitmap);
  if (bitmap) replay.pixels += bitmap.width * bitmap.height;
  while (replay.pixels > MOST_PIXELS && replay.kept.size > 2) {
    const [oldest, picture] = replay.kept.entries().next().value;
    if (oldest === key) break;
    replay.kept.delete(oldest);
    if (picture) { replay.pixels -= picture.width * picture.height; picture.close(); }
  }
  const figure = replay.figures.get(camera);
  if (figure) rewrite(figure.caption, camera + (fault ? " · no picture: " + fault : ""));
  drawPictures();
  askForPictures();
}
function rewrite(node, text) { if (node.textContent !== text) node.textContent = text; }

function drawPictures() {
  for (const [camera, { figure, canvas }] of replay.figures) {
    const picture = replay.kept.get(keyOf(camera, replay.frame));
    if (!picture) continue;
    const scale = Math.max(1, Math.round(384 / picture.width));
    if (canvas.width !== picture.width * scale) { canvas.width = picture.width * scale; canvas.height = picture.height * scale; figure.className = picture.width > 400 ? "" : "small"; }
    const g = canvas.getContext("2d");
    g.imageSmoothingQuality = "high";
    g.drawImage(picture, 0, 0, canvas.width, canvas.height);
  }
}

// --- Curves and bands ------------------------------------------------------------

function drawCourse() {
  const course = replay.course, canvas = $("replay-chart"), ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!course || !width) return;
  if (canvas.width !== Math.round(width * ratio)) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
  const g = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
  const color = name => style.getPropertyValue(name).trim();
  const x = frame => width * frame / Math.max(1, course.frames);
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  g.font = "12px system-ui, sans-serif";
  g.textBaseline = "middle";
  const band = (bands, top, tall, fill, words) => bands.forEach((one, index) => {
    const from = x(one.from), to = index + 1 < bands.length ? x(bands[index + 1].from) : width;
    g.fillStyle = fill(one.word, index);
    g.fillRect(from, top, Math.max(1, to - from - 1), tall);
    const text = words(one.word);
    if (g.measureText(text).width < to - from - 8) { g.fillStyle = color("--band-ink"); g.textAlign = "left"; g.fillText(text, from + 4, top + tall / 2 + 1); }
  });
  band(course.who, 0, 20, word => color((WHO[word] || ["", "--soft"])[1]), whoWords);
  band(course.steps, 22, 20, (_, index) => color(index % 2 ? "--step-odd" : "--step-even"), word => word);
  const top = 52, bottom = height - 6;
  if ($("curve-trust").checked) drawTrust(g, course, x, value => bottom - (bottom - top) * Math.min(1, Math.max(0, value)), color);
  else drawJointCurves(g, course, x, (share) => bottom - (bottom - top) * share, color);
  g.strokeStyle = color("--ink"); g.lineWidth = 2;
  g.beginPath(); g.moveTo(x(replay.frame + 0.5), 0); g.lineTo(x(replay.frame + 0.5), height); g.stroke();
}

function curve(g, at, values, x, y) {
  g.beginPath();
  let isOn = false;
  at.forEach((frame, index) => {
    const value = values[index];
    if (typeof value !== "number") { isOn = false; return; }
    g[isOn ? "lineTo" : "moveTo"](x(frame + 0.5), y(value));
    isOn = true;
  });
  g.stroke();
}
function drawTrust(g, course, x, y, color) {
  g.strokeStyle = color("--line"); g.lineWidth = 1;
  for (const value of [0, 0.5, 1]) { g.beginPath(); g.moveTo(0, y(value)); g.lineTo(x(course.frames), y(value)); g.stroke(); }
  g.strokeStyle = color("--stop"); g.lineWidth = 1.5; g.setLineDash([5, 4]);
  curve(g, course.at, course.thresholds, x, y);
  g.setLineDash([]); g.strokeStyle = color("--go"); g.lineWidth = 2;
  curve(g, course.at, course.scores, x, y);
}
/** Each joint over the range that it used: forms are compared, not numbers. */
function drawJointCurves(g, course, x, y, color) {
  course.positions.forEach((values, joint) => {
    let min = Infinity, max = -Infinity;
    for (const value of values) if (typeof value === "number") { min = Math.min(min, value); max = Math.max(max, value); }
    const range = Math.max(1e-3, max - min);
    g.strokeStyle = color(CURVES[joint % CURVES.length]); g.lineWidth = 1.5;
    g.setLineDash(joint < CURVES.length ? [] : [6, 3]);
    curve(g, course.at, values, x, value => y((value - min) / range));
  });
  g.setLineDash([]);
}

// --- Play ------------------------------------------------------------------------

function stopPlaying() {
  replay.isPlaying = false;
  $("replay-play").setAttribute("aria-pressed", "false");
  write("replay-play", "▶ Play");
}
function play() {
  const course = replay.course;
  if (!course) return;
  if (replay.isPlaying) return stopPlaying();
  if (replay.frame >= course.frames - 1) seek(0);
  replay.isPlaying = true;
  replay.last = now();
  $("replay-play").setAttribute("aria-pressed", "true");
  write("replay-play", "❚❚ Pause");
  askForPictures();
  requestAnimationFrame(advance);
}
/** Time goes on when the pictures of this moment are there: nothing is skipped. */
function advance() {
  const course = replay.course, passed = Math.min(0.2, (now() - replay.last) / 1000);
  replay.last = now();
  if (!replay.isPlaying || !course) return;
  if (hasPictures(replay.frame)) {
    replay.t += passed;
    const frame = Math.floor(replay.t * course.fps);
    if (frame >= course.frames) { seek(course.frames - 1); stopPlaying(); return; }
    if (frame !== replay.frame) seek(frame);
  } else askForPictures();
  requestAnimationFrame(advance);
}

$("replay-play").addEventListener("click", play);
$("replay-close").addEventListener("click", () => {
  closeCourse();
  show("replay", false);
  shelf.shown = null;
  for (const button of document.querySelectorAll(".episode")) button.setAttribute("aria-pressed", "false");
});
$("replay-at").addEventListener("input", () => { replay.t = -1; seek(Number($("replay-at").value)); });
for (const id of ["curve-trust", "curve-joints"]) $(id).addEventListener("change", () => { drawLegend(); drawCourse(); });
const atPointer = event => {
  const box = $("replay-chart").getBoundingClientRect();
  if (replay.course) { replay.t = -1; seek(Math.floor((event.clientX - box.left) / box.width * replay.course.frames)); }
};
$("replay-chart").addEventListener("pointerdown", event => { $("replay-chart").setPointerCapture(event.pointerId); atPointer(event); });
$("replay-chart").addEventListener("pointermove", event => { if (event.buttons) atPointer(event); });
addEventListener("resize", drawCourse);
