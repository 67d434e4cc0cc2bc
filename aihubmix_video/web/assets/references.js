"use strict";
// Pictures and films that a video is made from: an address, or a picture of the reader's own, sent along as it is.

const References = (() => {
  const { el, icon } = Words;
  const LARGEST = 20 * 1024 * 1024; // bytes; the server refuses more
  const ROLES = {
    reference_image: "Reference", first_frame: "First frame", last_frame: "Last frame",
    reference_video: "Reference", reference_audio: "Reference", feature: "For its features", base: "To be edited",
  };
  const KINDS = { image_url: "Image", video_url: "Video", audio_url: "Sound" };

  /** One reference: an address or, for pictures, a file. read() gives the address, or nothing. */
  const one = ({ label, pictures, changed, also = null, gone = null }) => {
    let held = "";
    const input = el("input", { type: "url", inputmode: "url", placeholder: "https://…", "aria-label": `${label}: address`, autocomplete: "off", spellcheck: "false" });
    const row = el("div", { class: "ref" }, input);
    const drop = () => { held = ""; row.querySelector(".thumb")?.remove(); input.value = ""; input.readOnly = false; };
    const hold = (data, name) => {
      drop();
      held = data;
      input.value = name;
      input.readOnly = true;
      row.append(el("img", { class: "thumb", src: data, alt: `${label}: ${name}` }));
      changed();
    };
    const take = (file) => {
      input.setCustomValidity("");
      if (!file.type.startsWith("image/")) return refuse(`${file.name} is no picture.`);
      if (file.size > LARGEST) return refuse(`${file.name} is larger than ${Words.bytes(LARGEST)}.`);
      const reader = new FileReader();
      reader.addEventListener("load", () => hold(reader.result, file.name));
      reader.addEventListener("error", () => refuse(`${file.name} cannot be read.`));
      reader.readAsDataURL(file);
      return undefined;
    };
    const refuse = (words) => { input.setCustomValidity(words); input.reportValidity(); };
    const buttons = el("div", { class: "chips" });
    if (pictures) {
      const file = el("input", { type: "file", accept: "image/png,image/jpeg,image/webp", "aria-label": `${label}: choose a file`, tabindex: 0 });
      file.addEventListener("change", () => { if (file.files[0]) take(file.files[0]); file.value = ""; });
      buttons.append(el("span", { class: "ghost small drop" }, "Choose", file));
      row.addEventListener("dragover", (event) => event.preventDefault());
      row.addEventListener("drop", (event) => {
        event.preventDefault();
        if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
      });
    }
    buttons.append(el("button", {
      class: "icon small", type: "button", "aria-label": `${label}: remove`, title: "Remove",
      onclick: () => { drop(); if (gone) { row.remove(); gone(); } changed(); },
    }, icon("close")));
    row.append(buttons);
    if (also) row.append(el("div", { class: "also" }, also));
    input.addEventListener("input", () => { input.setCustomValidity(""); changed(); });
    return { row, read: () => held || input.value.trim() };
  };

  const field = (name, label, note, ...inside) => el("fieldset", { class: "field", "data-field": name },
    el("legend", { class: "legend" }, label), el("div", { class: "refs" }, inside), note ? el("p", { class: "hint" }, note) : null);

  /** A field of the request that takes one picture, or several. */
  const images = (rule, changed) => {
    const label = rule.required ? `${rule.label} (needed)` : rule.label;
    if (rule.maximum === null) {
      const part = one({ label: rule.label, pictures: true, changed });
      return { element: field(rule.field, label, rule.note, part.row), read: () => part.read() || undefined };
    }
    return list(rule.field, label, rule.note, rule.maximum, changed, (gone) => one({ label: rule.label, pictures: true, changed, gone }), (part) => part.read());
  };

  /** A field that takes a list: rows are added and taken away. */
  const list = (name, label, note, maximum, changed, make, read) => {
    const parts = [];
    const refs = el("div", { class: "refs" });
    const add = el("button", { class: "ghost small", type: "button" }, icon("more"), "Add");
    const see = () => { add.hidden = maximum !== null && parts.length >= maximum; };
    add.addEventListener("click", () => {
      const part = make(() => { parts.splice(parts.indexOf(part), 1); see(); add.focus(); });
      parts.push(part);
      refs.append(part.row);
      part.row.querySelector("input").focus();
      see();
      changed();
    });
    const element = field(name, label, note, refs, el("div", {}, add));
    return { element, read: () => { const found = parts.filter((part) => part.read()).map(read); return found.length ? found : undefined; } };
  };

  const choice = (label, values, changed) => el("select", { "aria-label": label, onchange: changed },
    values.map((value) => el("option", { value }, ROLES[value] ?? value)));

  const videos = (kinds, changed) => list("video_list", "Reference videos", "", null, changed, (gone) => {
    const kind = choice("What the video is for", kinds, changed);
    return { ...one({ label: "Reference video", pictures: false, changed, also: kind, gone }), kind };
  }, (part) => ({ video_url: part.read(), refer_type: part.kind.value }));

  const content = (rules, changed) => {
    const kinds = rules.flatMap((rule) => rule.roles.map((role) => ({ rule, role })));
    return list("content", "References", "", rules.reduce((sum, rule) => sum + rule.maximum, 0), changed, (gone) => {
      const kind = el("select", { "aria-label": "What it is", onchange: changed },
        kinds.map(({ rule, role }, place) => el("option", { value: place }, `${KINDS[rule.type] ?? rule.type}: ${(ROLES[role] ?? role).toLowerCase()}`)));
      return { ...one({ label: "Reference", pictures: true, changed, also: kind, gone }), kind };
    }, (part) => {
      const { rule, role } = kinds[Number(part.kind.value)];
      return { type: rule.type, [rule.type]: { url: part.read() }, role };
    });
  };

  return { images, videos, content };
})();
