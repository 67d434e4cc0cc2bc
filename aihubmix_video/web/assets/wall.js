"use strict";
// The grid of cards with its filters and search, and the viewer in which one video fills the screen.

const Wall = (() => {
  const { el, icon } = Words;
  const AHEAD = 800; // pixels below the window within which more is drawn
  const STEP = 48; // cards drawn at once; the rest as the reader comes to them
  const GROUPS = {
    all: () => true,
    making: Cards.isMaking,
    saved: (job) => job.state === "saved",
    failed: Cards.isFailed,
  };
  const plain = (text) => String(text ?? "").normalize("NFKC").toLowerCase();
  const words = (job) => plain([job.prompt, job.model, job.name, job.key, job.id, job.file, job.error?.message, job.size, job.sha256].join(" "));

  /**
   * Show jobs in a grid.
   *
   * parts: elements {list, more, empty, tabs, model, search, told}; ways: buttons of each card;
   * order: which of two jobs comes first; nothing: words for an empty wall; older: whether there is more elsewhere, and how to get it.
   */
  const make = ({ parts, ways = [], order, nothing, older = { left: () => false, load: () => {} } }) => {
    const jobs = new Map();
    const cards = new Map(); // by key: {item, card, face}
    let limit = STEP;
    let wanted = false;
    let sorted = null;
    const view = viewer(() => shown().filter(Cards.canPlay), ways);
    const all = [{ icon: "open", label: "Details", fits: () => true, act: (job) => view.open(job) }, ...ways];

    const chosen = () => parts.tabs.querySelector("input:checked")?.value ?? "all";
    const isFiltered = () => chosen() !== "all" || parts.model.value !== "" || parts.search.value.trim() !== "";
    const inOrder = () => (sorted ??= [...jobs.values()].sort(order));
    const shown = () => {
      const [fits, model, asked] = [GROUPS[chosen()], parts.model.value, plain(parts.search.value).split(/\s+/).filter(Boolean)];
      return inOrder().filter((job) => fits(job) && (!model || job.model === model)
        && (!asked.length || asked.every((word) => (job.words ??= words(job)).includes(word))));
    };

    const ask = () => {
      if (wanted) return;
      wanted = true;
      requestAnimationFrame(() => { wanted = false; draw(); });
    };

    const draw = () => {
      const found = shown();
      const near = found.slice(0, limit);
      const keys = new Set(near.map((job) => job.key));
      for (const [key, { item }] of cards) if (!keys.has(key)) item.remove();
      near.forEach((job, place) => {
        const { item } = card(job);
        if (parts.list.children[place] !== item) parts.list.insertBefore(item, parts.list.children[place] ?? null);
      });
      parts.list.querySelectorAll(".skeleton").forEach((bone) => bone.closest("li").remove());
      parts.more.hidden = found.length <= limit && !older.left();
      tell(found);
      count();
      models();
      if (older.left() && found.length <= limit && (isFiltered() || isNear())) older.load();
    };

    const card = (job) => {
      const face = Cards.face(job);
      let known = cards.get(job.key);
      if (!known) {
        const made = Cards.make(job, all);
        known = { item: el("li", {}, made), card: made, face };
        cards.set(job.key, known);
      } else if (known.face !== face) {
        Cards.fill(known.card, job, all);
        known.face = face;
      }
      Cards.tick(known.card, job, Date.now() / 1000);
      return known;
    };

    const tell = (found) => {
      const none = found.length === 0;
      parts.empty.hidden = !none || (jobs.size === 0 && !nothing());
      if (!parts.empty.hidden) {
        const [title, text] = jobs.size ? ["Nothing fits", "No video fits what you filter and search for."] : nothing();
        parts.empty.replaceChildren(icon("film"), el("strong", {}, title), el("p", {}, text));
        if (jobs.size) parts.empty.append(el("button", { class: "ghost", type: "button", onclick: clear }, "Show all"));
      }
      const said = isFiltered() ? `${found.length} of ${jobs.size} videos` : "";
      if (parts.told.textContent !== said) parts.told.textContent = said;
    };

    const count = () => {
      const values = [...jobs.values()];
      for (const box of parts.tabs.querySelectorAll("b[data-group]")) box.textContent = values.filter(GROUPS[box.dataset.group]).length || "";
    };

    const models = () => {
      const names = [...new Set([...jobs.values()].map((job) => job.model).filter(Boolean))].sort();
      const options = [...parts.model.options].slice(1).map((option) => option.value);
      if (names.join("\n") === options.join("\n")) return;
      const value = parts.model.value;
      parts.model.replaceChildren(parts.model.options[0], ...names.map((name) => el("option", { value: name }, name)));
      parts.model.value = names.includes(value) ? value : "";
    };

    const clear = () => {
      parts.tabs.querySelector("input[value=all]").checked = true;
      parts.model.value = "";
      parts.search.value = "";
      limit = STEP;
      draw();
      parts.search.focus();
    };

    const put = (job) => {
      jobs.set(job.key, { ...job, heard: Date.now() / 1000 });
      sorted = null;
      ask();
    };

    /** Whether the reader is about to come to the end. */
    const isNear = () => !parts.more.hidden && parts.more.getBoundingClientRect().top < innerHeight + AHEAD;
    const grow = () => { limit = Math.min(limit, parts.list.children.length) + STEP; ask(); };

    const change = () => { limit = STEP; ask(); };
    for (const part of [parts.tabs, parts.model]) part.addEventListener("change", change);
    parts.search.addEventListener("input", change);
    parts.search.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && parts.search.value) { parts.search.value = ""; change(); event.preventDefault(); }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !typing(event)) { event.preventDefault(); parts.search.focus(); parts.search.select(); }
    });
    new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting) && !parts.more.hidden) grow();
    }, { rootMargin: `${AHEAD}px` }).observe(parts.more);
    parts.more.querySelector("button")?.addEventListener("click", grow);
    setInterval(() => {
      for (const [key, { card: one, item }] of cards) {
        const job = jobs.get(key);
        if (!item.isConnected) continue;
        Cards.tick(one, job, Date.now() / 1000);
        const when = one.querySelector("[data-since]");
        if (when) when.textContent = Words.ago(job.created_at, Date.now() / 1000);
      }
    }, 1000);

    return { put, ask, draw, get: (key) => jobs.get(key), values: () => [...jobs.values()], isFiltered, drop: (key) => { jobs.delete(key); sorted = null; ask(); } };
  };

  /** Whether keys are letters just now, rather than shortcuts. */
  const typing = (event) => event.ctrlKey || event.metaKey || event.altKey || event.isComposing
    || document.querySelector("dialog[open]") !== null
    || (event.target instanceof Element && event.target.closest("input:not([type=radio], [type=checkbox], [type=range]), textarea, select, [contenteditable]") !== null);

  // The viewer.

  const viewer = (playable, ways) => {
    const screen = el("div", { class: "screen" });
    const place = el("span", {});
    const body = el("div", { class: "told" });
    const button = (name, label, act) => el("button", { class: "icon", type: "button", "aria-label": label, title: label, onclick: act }, icon(name));
    const [back, on] = [button("left", "Previous", () => step(-1)), button("right", "Next", () => step(1))];
    const shut = button("close", "Close", () => dialog.close());
    const head = el("div", { class: "bar-of-viewer" }, place, back, on, shut);
    const side = el("div", { class: "side" }, head, body);
    const dialog = el("dialog", { class: "viewer", "aria-label": "Video" }, screen, side);
    let current = null;
    document.body.append(dialog);

    const open = (job) => {
      current = job;
      show(job);
      if (!dialog.open) dialog.showModal();
      if (!head.contains(document.activeElement) || document.activeElement.disabled) [on, back, shut].find((each) => !each.disabled).focus();
    };
    const step = (by) => {
      const list = playable();
      const at = list.findIndex((job) => job.key === current.key);
      const next = list[at + by];
      if (at >= 0 && next) open(next);
    };
    const show = (job) => {
      Cards.stop();
      const list = playable();
      const at = list.findIndex((each) => each.key === job.key);
      place.textContent = at >= 0 ? `${at + 1} of ${list.length}` : "";
      back.disabled = at <= 0;
      on.disabled = at < 0 || at === list.length - 1;
      let face;
      if (Cards.canPlay(job)) {
        face = el("video", { controls: true, playsinline: true, loop: true, src: job.content, poster: job.poster ?? false, "aria-label": Cards.name(job) });
        face.play().catch(() => { /* the controls are there */ });
      } else {
        const [sign, said] = Cards.isFailed(job) ? ["alert", Words.sentence(job.error?.message ?? "failed")] : ["film", "Not finished yet"];
        face = el("div", { class: "bare" }, icon(sign), el("p", { dir: "auto" }, said));
      }
      screen.replaceChildren(face);
      const all = ways.filter((way) => way.fits(job)).map((way) => {
        const inside = [icon(way.icon), way.label];
        return way.href ? el("a", { class: "ghost", href: way.href(job), download: way.download ? "" : false }, inside)
          : el("button", { class: "ghost", type: "button", onclick: () => { dialog.close(); way.act(job); } }, inside);
      });
      body.replaceChildren(el("p", { class: "words", dir: "auto", tabindex: 0 }, job.prompt || "No prompt"), details(job), el("div", { class: "ways" }, all));
    };
    dialog.addEventListener("close", () => { screen.replaceChildren(); current = null; });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener("keydown", (event) => {
      if (event.target instanceof HTMLVideoElement || event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "ArrowLeft") step(-1);
      if (event.key === "ArrowRight") step(1);
    });
    return { open };
  };

  const details = (job) => {
    const rows = [
      ["Model", job.model], ["Length", Words.length(job.seconds)], ["Size", Words.pixels(job.size)],
      ["File", Words.bytes(job.bytes_total)], ["List price", Words.money(job.price)],
      ["Charged", { yes: "yes", no: "no", unknown: "nobody knows" }[job.charged]],
      ["Reason", job.error && (Cards.isFailed(job) || job.state !== "saved") ? `${job.error.type}: ${job.error.message}` : ""],
      ["Ordered", Words.moment(job.created_at)], ["Name", job.name], ["File name", job.file], ["Key", job.key, "sum"], ["Id", job.id, "sum"], ["SHA-256", job.sha256, "sum"],
    ];
    const list = el("dl");
    for (const [term, text, kind] of rows) if (text) list.append(el("dt", {}, term), el("dd", { class: kind ?? false, dir: "auto" }, text));
    return list;
  };

  return { make, typing };
})();
