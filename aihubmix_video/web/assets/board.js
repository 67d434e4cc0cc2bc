"use strict";
// The live board: what is ordered goes out by REST, what becomes of it comes in as server-sent events.

(async () => {
  const { el } = Words;
  const part = (id) => document.getElementById(id);
  const PAGE = 100;
  const LOST = "aihubmix-video order";
  const SAID = 7000; // milliseconds for which a note stays
  const BRIEF = 1500; // and for which it stays when the next one waits
  const title = document.title;

  // Talking to the server.

  let config = null;
  const api = async (path, options = {}) => {
    const answer = await fetch(path, { cache: "no-store", ...options });
    if (answer.status === 401 && config?.sign_in) { location.replace(config.sign_in); await new Promise(() => {}); }
    if (answer.ok) return answer.status === 204 ? null : answer.json();
    const problem = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(problem.detail || problem.title || `the server answered ${answer.status}`), { status: answer.status, problem });
  };

  const retried = async (act) => {
    for (let wait = 500; ; wait = Math.min(wait * 2, 10_000)) {
      try { return await act(); } catch { line("lost", "The server does not answer"); }
      await new Promise((resolve) => { setTimeout(resolve, wait); });
    }
  };

  const line = (state, words) => {
    part("line").dataset.line = state;
    if (part("line").textContent !== words) part("line").replaceChildren(el("span", {}, words));
    part("line").title = words;
  };

  // Notes are also read aloud, so each stays for a moment; many at once become one.
  const notes = [];
  let turning = 0;
  let turned = 0;
  const note = (words) => {
    notes.push(words);
    clearTimeout(turning);
    turning = setTimeout(turn, Math.max(turned + BRIEF - Date.now(), 0));
  };
  const turn = () => {
    part("note").textContent = notes.length > 3 ? `${notes.splice(0).length} videos have changed` : notes.shift() ?? "";
    turned = Date.now();
    if (part("note").textContent) turning = setTimeout(turn, notes.length ? BRIEF : SAID);
  };

  config = await retried(() => api("config.json"));
  const jobs = new URL(config.jobs, document.baseURI).href.replace(/\/$/, "");
  part("sandbox").hidden = !config.sandbox;

  // Ordering. An order keeps its key until it is answered, so that sending it again buys nothing twice.

  let pending = (() => { try { return JSON.parse(sessionStorage.getItem(LOST)); } catch { return null; } })();
  const remember = (order) => {
    pending = order;
    try {
      if (order && order.body.length < 100_000) sessionStorage.setItem(LOST, JSON.stringify(order));
      else sessionStorage.removeItem(LOST);
    } catch { /* then only this page knows */ }
  };
  const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  const buy = async (order, told) => {
    const body = JSON.stringify(order);
    const anew = pending?.body !== body;
    if (!config.sandbox && anew && !(await agreed(told))) return;
    if (anew) remember({ body, key: newKey() });
    try {
      const job = await api(`${jobs}/`, { method: "POST", headers: { "Content-Type": "application/json", "Idempotency-Key": pending.key }, body });
      remember(null);
      hear(job);
      orders.clear();
      note("Ordered.");
    } catch (error) {
      if (error.status >= 400 && error.status < 500) {
        remember(null);
        orders.say(error.problem.problems ?? [], error.problem.problems?.length ? "" : error.message);
      } else {
        orders.say([], `${error.status ? error.message : "The answer was lost."} Press Generate to send the same order again; it is not bought twice.`);
      }
    }
  };

  const agreed = (told) => new Promise((resolve) => {
    const yes = el("button", { class: "button", type: "button", onclick: () => { resolve(true); dialog.close(); } }, told.price === null ? "Buy" : `Buy for ${Words.money(told.price)}`);
    const no = el("button", { class: "ghost", type: "button", onclick: () => dialog.close() }, "Cancel");
    const facts = [told.model, told.seconds === -1 ? "length left to the model" : Words.length(told.seconds), Words.pixels(told.size)].filter(Boolean).join(" · ");
    const dialog = el("dialog", { class: "ask", "aria-labelledby": "ask-title" },
      el("h2", { id: "ask-title" }, "Buy this video?"),
      el("div", { class: "sum-up" }, el("b", {}, told.price === null ? "Price not listed" : Words.money(told.price)), el("span", {}, facts)),
      el("p", {}, told.price === null ? "What it costs is not known here; your account will be charged." : "The list price; what your account is charged may differ."),
      el("div", { class: "row" }, no, yes));
    dialog.addEventListener("close", () => { dialog.remove(); resolve(false); });
    document.body.append(dialog);
    dialog.showModal();
    yes.focus();
  });

  // What there is.

  let cursor = null;
  let loading = false;
  const older = {
    left: () => cursor !== null,
    load: async () => {
      if (loading || cursor === null) return;
      loading = true;
      try {
        const page = await api(`${jobs}/?limit=${PAGE}&after=${encodeURIComponent(cursor)}`);
        cursor = page.next ?? null;
        page.items.forEach(hear);
      } catch (error) { note(`Older videos could not be loaded: ${error.message}`); } finally { loading = false; wall.ask(); }
    },
  };

  const orders = Order.make({ form: part("order"), models: config.models, extraBody: config.extra_body, buy });
  const wall = Wall.make({
    parts: { list: part("wall"), more: part("more"), empty: part("empty"), tabs: part("tabs"), model: part("model"), search: part("search"), told: part("told") },
    ways: [
      { icon: "again", label: "Order again", fits: (job) => orders.knows(job.model), act: orders.again },
      { icon: "save", label: "Download", fits: Cards.canPlay, href: (job) => job.content, download: true },
    ],
    order: (one, other) => other.created_at - one.created_at || (one.key < other.key ? 1 : -1),
    nothing: () => ["No videos yet", "Say what is to be seen, choose a model, and press Generate. Progress shows here, and the video plays here."],
    older,
  });

  /** Take in what was said about a job. */
  const hear = (job) => {
    const before = wall.get(job.key);
    const ends = before && Cards.isMaking(before) && !Cards.isMaking(job);
    if (before && before.updated_at > job.updated_at && !ends) return; // an older word that came later
    wall.put({ ...job, eta: Words.isNumber(job.eta) ? job.eta / config.speed : null, content: job.content ? new URL(job.content, `${jobs}/`).href : null });
    if (ends) {
      note(job.state === "saved" ? `Finished: ${Cards.name(job)}` : `${job.state === "uncertain" ? "Uncertain" : "Failed"}: ${Cards.name(job)}. ${job.error?.message ?? ""}`);
    }
    const running = wall.values().filter(Cards.isMaking).length;
    document.title = running ? `(${running}) ${title}` : title;
  };

  /** Look at everything anew: changes may have been missed while the line was down. */
  const look = async () => {
    const running = new Set(wall.values().filter(Cards.isMaking).map((job) => job.key));
    const first = await api(`${jobs}/?limit=${PAGE}`);
    if (cursor === null && wall.values().length <= first.items.length) cursor = first.next ?? null;
    for (const job of first.items) { running.delete(job.key); hear(job); }
    await Promise.all([...running].map(async (key) => {
      try { hear(await api(`${jobs}/${encodeURIComponent(key)}`)); } catch (error) { if (error.status === 404) wall.drop(key); else throw error; }
    }));
    part("wall").setAttribute("aria-busy", "false");
    wall.draw();
  };

  // The line: a browser takes it up again by itself, unless the server refused it.

  let pause = 500;
  const connect = () => {
    const source = new EventSource(`${jobs}/events`);
    source.addEventListener("open", () => {
      retried(look).then(() => { pause = 500; line("live", "Live"); });
    });
    source.addEventListener("job", (event) => hear(JSON.parse(event.data)));
    source.addEventListener("deleted", (event) => wall.drop(JSON.parse(event.data).key));
    source.addEventListener("error", () => {
      line("waiting", "Reconnecting");
      if (source.readyState !== EventSource.CLOSED) return;
      source.close();
      pause = Math.min(pause * 2, 10_000);
      setTimeout(async () => {
        try { await api(`${jobs}/?limit=1`); } catch { /* signed out is seen to there; all else is tried again */ }
        connect();
      }, pause);
    });
    addEventListener("pagehide", () => source.close(), { once: true });
  };
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  connect();
  retried(look); // whatever becomes of the line

  if (pending) orders.say([], "The last order was not answered. The same order sent again is not bought twice.");
})();
