// Joints, confidence and health.
"use strict";

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

// --- Health ----------------------------------------------------------------------

let alarmed = [];

function figureOf({ value, unit }) {
  if (value === null) return "–";
  return unit === "share" ? (100 * value).toFixed(0) + " %" : unit === "ms" ? value.toFixed(1) + " ms" : value.toFixed(2);
}

/** Each figure beside its bound; an alarm is said once in the log when it begins. */
function drawHealth(figures) {
  const alarms = figures.filter(figure => figure.is_alarm);
  for (const figure of alarms.filter(figure => !alarmed.includes(figure.name))) {
    line(null, "alarm: " + figure.words + " " + figureOf(figure), "uneasy");
  }
  alarmed = alarms.map(figure => figure.name);
  write("alarms", alarms.length ? alarms.map(figure => figure.words).join(", ") : "nothing beyond its bound");
  $("health").classList.toggle("alarmed", alarms.length > 0);
  const rows = figures.map(figure => {
    const row = element("div", figure.is_alarm ? "alarm" : "");
    const bound = (figure.is_least ? "at least " : "at most ") + figureOf({ ...figure, value: figure.bound });
    const over = figure.value === null ? "too little to tell" : figure.of ? "of the last " + figure.of : "";
    const value = element("dd", "", (figure.is_alarm ? "⚠ " : "") + figureOf(figure));
    value.append(element("small", "", [bound, over].filter(word => word).join(" · ")));
    row.append(element("dt", "", figure.words), value);
    return row;
  });
  const words = rows.map(row => row.textContent).join("|");
  if ($("doing").dataset.words === words) return;
  $("doing").dataset.words = words;
  $("doing").replaceChildren(...rows);
}
