// Live pictures, and where the policy looks.
"use strict";

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
