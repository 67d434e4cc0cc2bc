"use strict";
// The form that orders a video. It is built from the description of the chosen model, and offers nothing else.

const Order = (() => {
  const { el } = Words;
  const KEPT = "aihubmix-video draft";
  const MANY = 6; // lengths shown as buttons; more are a slider
  const CAPTIONS = { std: "Standard", pro: "Pro", "4k": "4K", adaptive: "Adaptive" };

  const chips = ({ name, label, values, value, act, off = () => false, hint = "" }) => el("fieldset", { class: "field", "data-field": name },
    el("legend", { class: "legend" }, label),
    el("div", { class: "chips" }, values.map((each) => {
      const input = el("input", { type: "radio", name, value: String(each.value), checked: each.value === value, disabled: off(each) });
      input.addEventListener("change", () => act(each.value));
      return el("label", { class: "chip" }, input, el("span", {}, each.mark ?? null, each.label));
    })), hint ? el("p", { class: "hint" }, hint) : null);

  const shape = (sides) => {
    if (!sides) return null;
    const mark = el("i", { class: "shape", "data-lies": sides[0] >= sides[1], "aria-hidden": "true" });
    mark.style.setProperty("--w", sides[0]);
    mark.style.setProperty("--h", sides[1]);
    return mark;
  };

  /** Fill the form element; buy(order, told) is asked when the reader wants the video, told being what the page said of it. */
  const make = ({ form, models, extraBody, buy }) => {
    const byName = new Map(models.map((model) => [model.model, model]));
    const state = { model: models[0].model, frame: null, tier: null, seconds: null, values: {}, extra: "", ...draft() };
    if (!byName.has(state.model)) state.model = models[0].model;
    let references = [];
    let referring = null; // the model that they are of

    const select = el("select", { id: "order-model" }, groups(models));
    const tell = el("p", { class: "tell", id: "order-tell" });
    const prompt = el("textarea", { id: "order-prompt", rows: 4, placeholder: "What is to be seen, and how", dir: "auto", "aria-describedby": "order-limit", "aria-keyshortcuts": "n" });
    const limit = el("p", { class: "hint", id: "order-limit" });
    const body = el("div", { class: "fields" });
    const wrong = el("div", { class: "wrong", id: "order-wrong", role: "alert" });
    const what = el("p", { class: "what" });
    const button = el("button", { class: "button", type: "submit" }, "Generate");
    body.append(el("h2", { id: "new-title" }, "New video"),
      el("div", { class: "field", "data-field": "model" }, el("label", { for: "order-model" }, "Model"), select, tell),
      el("div", { class: "field", "data-field": "prompt" }, el("label", { for: "order-prompt" }, "Prompt"), prompt, limit));
    form.replaceChildren(body, el("div", { class: "buy" }, what, button));
    select.value = state.model;
    prompt.value = state.prompt ?? "";

    const now = () => byName.get(state.model);
    const picture = () => now().pictures.find((each) => each.frame === state.frame && each.tier === state.tier);

    /** Bring what was chosen into what this model has, keeping as much as it takes. */
    const settle = () => {
      const model = now();
      const own = model.pictures[model.picture];
      const same = (key) => model.pictures.some((each) => each[key] === state[key]);
      if (!same("frame")) state.frame = own.frame;
      if (!picture()) {
        const fits = model.pictures.filter((each) => each.frame === state.frame);
        state.tier = (fits.find((each) => each.tier === own.tier) ?? fits[0]).tier;
      }
      const lengths = model.seconds.values;
      const legal = lengths.includes(state.seconds) || (state.seconds === -1 && model.seconds.auto);
      if (!legal) state.seconds = model.seconds.default;
    };

    const fixed = () => picture().seconds ?? references.find((each) => each.seconds && each.read() !== undefined)?.seconds ?? null;
    const length = () => fixed() ?? state.seconds;

    const refresh = () => {
      const seconds = length();
      const { usd, size } = picture();
      const price = usd !== null && seconds !== -1 ? usd * seconds : null;
      const told = { model: state.model, seconds, size, price };
      what.replaceChildren(el("b", {}, price === null ? "Price not listed" : Words.money(price)),
        [seconds === -1 ? "length left to the model" : Words.length(seconds), Words.pixels(size) || state.frame].filter(Boolean).join(" · "));
      const spare = now().prompt.limit - prompt.value.length;
      limit.textContent = spare < 400 ? `${spare} characters left` : "";
      limit.dataset.kind = spare < 0 ? "bad" : "";
      const lock = fixed();
      for (const input of form.querySelectorAll("[data-field=seconds] input")) {
        input.disabled = lock !== null && input.value !== String(lock) && input.type !== "range";
        if (input.type === "radio") input.checked = Number(input.value) === seconds;
      }
      keep();
      return told;
    };

    /** Draw the fields of the chosen model. */
    const build = () => {
      const model = now();
      settle();
      tell.textContent = /sound|silent/i.test(model.description) ? `${model.description}.` : `${model.description}. ${model.audio}.`;
      if (referring !== model) references = referencesOf(model); // what was put in stays while only the frame changes
      referring = model;
      const first = [...references.filter((each) => each.required).map((each) => each.element), pictures(model), lengths(model)];
      const later = [...model.options.map(option), ...references.filter((each) => !each.required).map((each) => each.element), ...(extraBody ? [extra()] : [])];
      const open = body.querySelector("details")?.open ?? false;
      for (const old of body.querySelectorAll("[data-changing]")) old.remove();
      const parts = [...first.flat().filter(Boolean), wrong, el("details", { open }, el("summary", {}, "More"), el("div", {}, later))];
      for (const part of parts) part.dataset.changing = "";
      body.append(...parts);
      say([]);
      refresh();
    };

    const referencesOf = (model) => [
      ...model.references.map((rule) => ({ ...References.images(rule, refresh), name: rule.field, ...rule })),
      ...(model.videos.length ? [{ ...References.videos(model.videos, refresh), name: "video_list" }] : []),
      ...(model.content.length ? [{ ...References.content(model.content, refresh), name: "content" }] : []),
    ];

    const pictures = (model) => {
      const frames = [...new Map(model.pictures.map((each) => [each.frame, each])).values()];
      const tiers = [...new Set(model.pictures.map((each) => each.tier))];
      const has = (frame, tier) => model.pictures.some((each) => each.frame === frame && each.tier === tier);
      const redraw = (change) => (value) => {
        change(value);
        const name = document.activeElement?.name;
        build();
        form.querySelector(`input[name="${name}"]:checked`)?.focus();
      };
      return [
        chips({ name: "frame", label: "Frame", value: state.frame, act: redraw((value) => { state.frame = value; }),
          values: frames.map((each) => ({ value: each.frame, label: CAPTIONS[each.frame] ?? each.frame, mark: shape(each.shape) })),
          hint: picture().size ? Words.pixels(picture().size) : "" }),
        tiers.length > 1 ? chips({ name: "tier", label: "Clarity", value: state.tier, act: redraw((value) => { state.tier = value; }),
          values: tiers.map((tier) => ({ value: tier, label: CAPTIONS[tier] ?? tier })), off: (each) => !has(state.frame, each.value), hint: picture().note }) : null,
      ];
    };

    const lengths = (model) => {
      const { values, auto, note } = model.seconds;
      const act = (value) => { state.seconds = value; refresh(); };
      if (values.length <= MANY) {
        const all = [...values, ...(auto ? [-1] : [])];
        return chips({ name: "seconds", label: "Length", value: state.seconds, act, values: all.map((value) => ({ value, label: value === -1 ? "Auto" : `${value} s` })), hint: note });
      }
      const range = el("input", { type: "range", id: "order-seconds", min: values[0], max: values.at(-1), step: 1, value: state.seconds === -1 ? model.seconds.default : state.seconds });
      const output = el("output", { for: "order-seconds" });
      const told = () => {
        output.textContent = state.seconds === -1 ? "Auto" : `${state.seconds} s`;
        range.disabled = state.seconds === -1;
        range.setAttribute("aria-valuetext", `${range.value} seconds`);
      };
      range.addEventListener("input", () => { act(Number(range.value)); told(); });
      const box = auto ? el("input", { type: "checkbox", checked: state.seconds === -1 }) : null;
      box?.addEventListener("change", () => { act(box.checked ? -1 : Number(range.value)); told(); });
      told();
      return el("div", { class: "field", "data-field": "seconds" }, el("div", { class: "with" }, el("label", { for: "order-seconds" }, "Length"), output), range,
        box ? el("label", { class: "check" }, box, "Let the model choose") : null, note ? el("p", { class: "hint" }, note) : null);
    };

    const option = (rule) => {
      const id = `order-${rule.name}`;
      const value = state.values[rule.name];
      const set = (given) => {
        if (given === undefined || given === rule.default) delete state.values[rule.name];
        else state.values[rule.name] = given;
        refresh();
      };
      if (rule.kind === "choice" || rule.kind === "flag") {
        const words = rule.kind === "flag" ? [[true, "On"], [false, "Off"]] : rule.values.map((each) => [each, CAPTIONS[each] ?? `${each[0].toUpperCase()}${each.slice(1)}`]);
        if (rule.default === null) words.unshift([undefined, "As the model likes"]);
        return chips({ name: rule.name, label: rule.label, value: value ?? rule.default ?? undefined, act: set, values: words.map(([each, label]) => ({ value: each, label })), hint: rule.note });
      }
      const number = rule.kind === "number" || rule.kind === "whole";
      const input = rule.kind === "text" ? el("textarea", { id, rows: 2, dir: "auto" })
        : el("input", { id, type: "number", min: rule.minimum ?? false, max: rule.maximum ?? false, step: rule.kind === "whole" ? 1 : "any", placeholder: rule.default ?? "Any" });
      input.value = value ?? "";
      input.addEventListener("input", () => set(input.value.trim() === "" ? undefined : number ? Number(input.value) : input.value));
      return el("div", { class: "field", "data-field": rule.name }, el("label", { for: id }, rule.label), input, rule.note ? el("p", { class: "hint" }, rule.note) : null);
    };

    const extra = () => {
      const input = el("textarea", { id: "order-extra", rows: 2, placeholder: "{\"name\": \"value\"}", spellcheck: "false" });
      input.value = state.extra;
      input.addEventListener("input", () => { state.extra = input.value; refresh(); });
      return el("div", { class: "field", "data-field": "extra_body" }, el("label", { for: "order-extra" }, "Further fields, as JSON"), input);
    };

    /** What is ordered, as the request's fields; or what is wrong with it, by field. */
    const read = () => {
      const model = now();
      const problems = [];
      const order = { model: state.model, prompt: prompt.value.trim(), seconds: length(), ...picture().fields };
      for (const rule of model.options) if (rule.name in state.values) order[rule.name] = state.values[rule.name];
      for (const each of references) {
        const value = each.read();
        if (value !== undefined) order[each.name] = value;
        else if (each.required) problems.push({ field: each.name, message: "is needed: this model makes videos from it." });
        if (value !== undefined && each.needs && !references.find((other) => other.name === each.needs)?.read()) problems.push({ field: each.name, message: `needs ${each.needs} too.` });
      }
      if (extraBody && state.extra.trim()) {
        try { order.extra_body = JSON.parse(state.extra); } catch (error) { problems.push({ field: "extra_body", message: `is no JSON: ${error.message}` }); }
      }
      if (!order.prompt && !model.prompt.optional_with.some((name) => name in order)) problems.push({ field: "prompt", message: "must not be empty." });
      return { order, problems };
    };

    /** Show what is wrong, at its fields. */
    const say = (problems, words = "") => {
      for (const marked of form.querySelectorAll("[aria-invalid]")) { marked.removeAttribute("aria-invalid"); marked.removeAttribute("aria-errormessage"); }
      const lines = problems.map((problem) => {
        const place = form.querySelector(`[data-field="${CSS.escape(problem.field.split(/[.[]/)[0])}"]`);
        for (const input of place?.querySelectorAll("input, textarea, select") ?? []) { input.setAttribute("aria-invalid", "true"); input.setAttribute("aria-errormessage", "order-wrong"); }
        const label = place?.querySelector("label, legend")?.textContent ?? problem.field;
        return el("p", {}, `${label}: ${problem.message}${problem.nearest ? ` Nearest: ${problem.nearest}.` : ""}`);
      });
      wrong.replaceChildren(...lines, ...(words ? [el("p", {}, words)] : []));
      if (lines.length) {
        const first = form.querySelector("[aria-invalid]");
        const folded = first?.closest("details");
        if (folded) folded.open = true;
        first?.focus();
      }
      if (lines.length || words) wrong.scrollIntoView({ block: "nearest" });
    };

    const busy = (is) => { button.disabled = is; button.textContent = is ? "Ordering …" : "Generate"; form.setAttribute("aria-busy", String(is)); };

    const submit = async () => {
      if (button.disabled) return;
      const { order, problems } = read();
      say(problems);
      if (problems.length) return;
      busy(true);
      try { await buy(order, refresh()); } finally { busy(false); }
    };

    const keep = () => {
      const { model, frame, tier, seconds, values, extra: more } = state;
      try { sessionStorage.setItem(KEPT, JSON.stringify({ model, frame, tier, seconds, values, extra: more, prompt: prompt.value })); } catch { /* then a reload forgets it */ }
    };

    /** Fill the form as for a job that there is. */
    const again = (job) => {
      if (!byName.has(job.model)) return;
      const like = byName.get(job.model).pictures.find((each) => each.size === job.size);
      Object.assign(state, { model: job.model, seconds: job.seconds ?? null, values: {}, extra: "" }, like ? { frame: like.frame, tier: like.tier } : {});
      referring = null;
      select.value = job.model;
      prompt.value = job.prompt ?? "";
      build();
      focus();
    };

    const focus = () => { prompt.scrollIntoView({ block: "center" }); prompt.focus(); };
    const clear = () => { prompt.value = ""; build(); };

    select.addEventListener("change", () => { state.model = select.value; state.values = {}; build(); });
    prompt.addEventListener("input", refresh);
    prompt.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) form.requestSubmit(); });
    form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
    document.addEventListener("keydown", (event) => { if (event.key === "n" && !Wall.typing(event)) { event.preventDefault(); focus(); } });
    build();
    return { say, again, clear, read, knows: (model) => byName.has(model) };
  };

  const groups = (models) => {
    const found = new Map();
    for (const model of models) {
      const head = `${model.vendor} ${model.family}`;
      if (!found.has(head)) found.set(head, el("optgroup", { label: head }));
      found.get(head).append(el("option", { value: model.model }, model.model));
    }
    return [...found.values()];
  };

  const draft = () => {
    try { return JSON.parse(sessionStorage.getItem(KEPT)) ?? {}; } catch { return {}; }
  };

  return { make };
})();
