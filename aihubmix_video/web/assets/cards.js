"use strict";
// One video as a card: while it is made, when it can be played, when it failed. Used by the board and by the gallery.

const Cards = (() => {
  const { el, icon } = Words;
  const MAKING = new Set(["waiting", "running", "saving", "unfinished"]);
  const FAILED = new Set(["failed", "uncertain"]);
  const isMaking = (job) => MAKING.has(job.state);
  const isFailed = (job) => FAILED.has(job.state);
  const canPlay = (job) => job.state === "saved" && Boolean(job.content);
  const name = (job) => (job.prompt || job.name || job.file || "untitled").slice(0, 120);
  const DOING = { waiting: "In the queue", running: "Generating", saving: "Saving" };

  // Pictures. A video that is not played is not kept open: browsers hold a connection for each, and have six.

  const PICTURES = new Map(); // by address: what was drawn of it
  const QUEUE = [];
  const AT_ONCE = 2;
  const WIDEST = 640;
  const GIVE_UP = 15_000;
  let drawing = 0;

  const next = () => {
    while (drawing < AT_ONCE && QUEUE.length) {
      const task = QUEUE.shift();
      drawing += 1;
      task().finally(() => { drawing -= 1; next(); });
    }
  };

  const firstFrame = (address) => new Promise((resolve) => {
    const video = el("video", { muted: true, playsinline: true, preload: "metadata" });
    video.muted = true;
    const end = (canvas) => {
      clearTimeout(timer);
      video.removeAttribute("src");
      video.load();
      resolve(canvas);
    };
    const timer = setTimeout(() => end(null), GIVE_UP);
    video.addEventListener("error", () => end(null), { once: true });
    video.addEventListener("loadeddata", () => { video.currentTime = Math.min(0.5, (video.duration || 0) / 4); }, { once: true });
    video.addEventListener("seeked", () => end(drawn(video, video.videoWidth, video.videoHeight)), { once: true });
    video.src = address;
  });

  const drawn = (source, width, height) => {
    if (!width || !height) return null;
    const scale = Math.min(1, WIDEST / Math.max(width, height));
    const canvas = el("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
    canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
    return canvas;
  };

  /** A canvas is much memory and a JPEG little; from file:// the browser gives no bytes, and the canvas itself is shown. */
  const kept = (canvas) => new Promise((resolve) => {
    try {
      canvas.toBlob((blob) => resolve(blob ? URL.createObjectURL(blob) : canvas), "image/jpeg", 0.82);
    } catch { resolve(canvas); }
  });

  const picture = (job) => {
    if (job.poster) return Promise.resolve(job.poster);
    if (!PICTURES.has(job.content)) {
      PICTURES.set(job.content, new Promise((resolve) => {
        QUEUE.push(async () => {
          const canvas = await firstFrame(job.content);
          resolve(canvas ? await kept(canvas) : null);
        });
        next();
      }));
    }
    return PICTURES.get(job.content);
  };

  const copyOf = (canvas) => {
    const copy = el("canvas", { width: canvas.width, height: canvas.height });
    copy.getContext("2d").drawImage(canvas, 0, 0);
    return copy;
  };

  /** Show a video's picture, and its colours around it where it does not fill the frame. */
  const hang = async (media, job) => {
    const shown = await picture(job);
    if (!shown || media.querySelector(".picture")) return;
    const image = typeof shown === "string" ? el("img", { alt: "", src: shown, decoding: "async" }) : copyOf(shown);
    image.classList.add("picture");
    media.prepend(image);
    const around = () => {
      const glow = el("canvas", { class: "glow", width: 24, height: 15, "aria-hidden": "true" });
      glow.getContext("2d").drawImage(image, 0, 0, 24, 15);
      media.prepend(glow);
    };
    if (image instanceof HTMLImageElement) image.addEventListener("load", around, { once: true });
    else around();
  };

  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      entry.target.dispatchEvent(new Event("near"));
    }
  }, { rootMargin: "400px" });

  // Playing: one at a time.

  let stop = () => {};
  const play = (media, job) => {
    stop();
    const video = el("video", { controls: true, playsinline: true, src: job.content, "aria-label": name(job) });
    if (job.poster) video.poster = job.poster;
    media.append(video);
    media.classList.add("playing");
    stop = () => {
      video.pause();
      video.removeAttribute("src");
      video.load();
      video.remove();
      media.classList.remove("playing");
      stop = () => {};
    };
    video.addEventListener("error", () => { if (video.error && video.isConnected) stop(); });
    video.focus();
    video.play().catch(() => { /* the reader may start it by the controls */ });
  };

  // The parts of a card.

  const saved = (job) => {
    const button = el("button", { class: "play", type: "button", "aria-label": `Play: ${name(job)}` }, el("span", {}, icon("play")));
    const media = el("div", { class: "media" }, button);
    media.append(el("span", { class: "clock", "aria-hidden": "true" }, icon("play"), Words.isNumber(job.seconds) ? Words.clock(job.seconds) : ""));
    button.addEventListener("click", () => play(media, job));
    media.addEventListener("near", () => { hang(media, job); }, { once: true });
    seen.observe(media);
    return media;
  };

  const making = (job) => {
    const [width, height] = Words.shape(job.size) ?? [16, 10];
    const sheet = el("div", { class: "sheet", "data-wide": width / height > 1.75 });
    sheet.style.setProperty("--w", width);
    sheet.style.setProperty("--h", height);
    const bar = el("div", { class: "track", role: "progressbar", "aria-label": `Progress: ${name(job)}`, "aria-valuemin": 0, "aria-valuemax": 100 }, el("i"));
    return el("div", { class: "media making" }, sheet, el("div", { class: "far" }, el("strong"), el("span")), bar);
  };

  const failed = (job) => {
    const word = job.state === "uncertain" ? "Nobody knows yet" : "Failed";
    return el("div", { class: "media" }, el("div", { class: "far" }, icon(job.state === "uncertain" ? "doubt" : "alert"), el("strong", {}, word), el("span", {}, Words.CHARGED[job.charged] ?? "")));
  };

  const idle = (words) => el("div", { class: "media" }, el("div", { class: "far" }, icon("film"), el("span", {}, words)));

  const facts = (job) => {
    const list = el("ul", { class: "facts" });
    if (job.model) list.append(el("li", { class: "model" }, job.model));
    const told = [Words.length(job.seconds), Words.pixels(job.size), isFailed(job) && job.charged === "no" ? "" : Words.money(job.price)].filter(Boolean);
    told.forEach((text, place) => list.append(el("li", { class: place === 0 && "first" }, text)));
    return list;
  };

  /** How far a running job has come, now. */
  const tick = (card, job, now) => {
    const [strong, small, bar] = ["strong", ".far span", ".track"].map((part) => card.querySelector(part));
    if (!bar) return;
    const eta = Words.isNumber(job.eta) ? Math.max(job.eta - (now - job.heard), 0) : null;
    const part = job.state === "saving" && job.bytes_total ? (100 * job.bytes_done) / job.bytes_total : job.progress;
    const known = Words.isNumber(part) && job.state !== "waiting";
    const percent = known ? Math.min(Math.max(Math.round(part), 0), 100) : null;
    strong.textContent = known ? `${percent}%` : DOING[job.state];
    strong.toggleAttribute("data-words", !known);
    const overdue = eta !== null && eta <= 1 && known && percent < 85; // the estimate was too short, as the vendor's own figure says
    const second = job.state === "saving" ? "Saving" : (!overdue && Words.left(eta)) || (known ? "Generating" : "");
    if (small.textContent !== second) small.textContent = second;
    bar.toggleAttribute("data-open", !known);
    if (known) bar.setAttribute("aria-valuenow", percent);
    else bar.removeAttribute("aria-valuenow");
    bar.setAttribute("aria-valuetext", [known ? `${percent} percent` : DOING[job.state], second].filter(Boolean).join(", "));
    bar.style.setProperty("--part", (percent ?? 0) / 100);
  };

  const foot = (job, ways) => {
    const row = el("div", { class: "foot" });
    const sum = job.sha256 ? el("span", { class: "when sum", title: `SHA-256 ${job.sha256}` }, job.sha256.slice(0, 10)) : null;
    row.append(sum ?? el("span", { class: "when", "data-since": job.created_at }, Words.ago(job.created_at, Date.now() / 1000)));
    for (const way of ways) {
      if (!way.fits(job)) continue;
      const traits = { class: "icon small", "aria-label": `${way.label}: ${name(job)}`, title: way.label };
      const button = way.href ? el("a", { ...traits, href: way.href(job), download: way.download ? "" : false }, icon(way.icon))
        : el("button", { ...traits, type: "button", onclick: () => way.act(job) }, icon(way.icon));
      row.append(button);
    }
    return row;
  };

  const FACES = {
    saved: (job) => (canPlay(job) ? saved(job) : idle("Finished; its file is not here")),
    unfinished: () => idle("Not finished yet"),
    failed,
    uncertain: failed,
  };

  /** Fill a card anew. */
  const fill = (card, job, ways) => {
    const had = card.contains(document.activeElement);
    const media = (FACES[job.state] ?? making)(job);
    const about = el("div", { class: "about" });
    about.append(el("h3", { class: "prompt", dir: "auto", title: job.prompt ?? false }, job.prompt ?? ""), facts(job));
    if (job.state !== "saved" && job.error) about.append(el("p", { class: "reason", dir: "auto", title: job.error.message }, Words.sentence(job.error.message)));
    else if (job.note) about.append(el("p", { class: "reason", dir: "auto", title: job.note }, Words.sentence(job.note)));
    about.append(foot(job, ways));
    card.dataset.state = job.state;
    card.dataset.key = job.key;
    card.replaceChildren(media, about);
    if (had) card.querySelector("button, a")?.focus();
  };

  /** What of a job is on its card beside progress; the card is filled anew when it changes. */
  const face = (job) => JSON.stringify([job.state, job.content, job.prompt, job.model, job.seconds, job.size, job.price, job.error?.message, job.note, job.charged, job.sha256]);

  const make = (job, ways) => {
    const card = el("article", { class: "card" });
    fill(card, job, ways);
    return card;
  };

  return { make, fill, face, tick, isMaking, isFailed, canPlay, name, stop: () => stop() };
})();
