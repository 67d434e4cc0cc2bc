"use strict";
// Building elements, and saying numbers as a person reads them. Whatever comes from outside is only ever text.

const Words = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const SHAPES = {
    play: ["M7 4.6v14.8a.8.8 0 0 0 1.2.7l11.6-7.4a.8.8 0 0 0 0-1.4L8.2 3.9A.8.8 0 0 0 7 4.6Z"],
    open: ["M9 4H5a1 1 0 0 0-1 1v4", "M15 20h4a1 1 0 0 0 1-1v-4", "M4 15v4a1 1 0 0 0 1 1h4", "M20 9V5a1 1 0 0 0-1-1h-4"],
    save: ["M12 4v11", "m7.5 11 4.5 4.5 4.5-4.5", "M5 20h14"],
    again: ["M4.5 12a7.5 7.5 0 0 1 12.9-5.2L20 9.4", "M20 4.5v4.9h-4.9", "M19.5 12a7.5 7.5 0 0 1-12.9 5.200L4 14.6", "M4 19.500v-4.900h4.9"],
    close: ["m6 6 12 12", "M18 6 6 18"],
    left: ["m14.5 5.5-6.5 6.5 6.5 6.5"],
    right: ["m9.5 5.5 6.5 6.5-6.5 6.5"],
    search: ["M17 11a6 6 0 1 1-12 0 6 6 0 0 1 12 0Z", "m15.5 15.5 4.5 4.5"],
    alert: ["M12 8.500v4.5", "M12 16.500v.01", "M10.3 4.3 2.8 17.500A2 2 0 0 0 4.5 20.500h15a2 2 0 0 0 1.7-3L13.7 4.300a2 2 0 0 0-3.4 0Z"],
    doubt: ["M9.2 9.300a2.9 2.9 0 1 1 4.3 2.900c-1 .6-1.5 1.1-1.5 2.1", "M12 17.200v.01", "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z"],
    film: ["M4 6a1 1 0 0 1 1-1h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1Z", "m10 9 5 3-5 3Z"],
    more: ["M12 5v14", "M5 12h14"],
  };
  const FILLED = new Set(["play"]);

  /** Make an element. Names that begin with "on" listen; all else are attributes; true and false add or leave them out. */
  const el = (tag, traits = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(traits)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  };

  const icon = (name) => {
    const svg = document.createElementNS(SVG, "svg");
    const filled = FILLED.has(name);
    const traits = {
      viewBox: "0 0 24 24", fill: filled ? "currentColor" : "none", stroke: filled ? "none" : "currentColor",
      "stroke-width": "1.8", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true",
    };
    for (const [trait, value] of Object.entries(traits)) svg.setAttribute(trait, value);
    for (const d of SHAPES[name]) {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("d", d);
      svg.append(path);
    }
    return svg;
  };

  const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
  const length = (seconds) => (isNumber(seconds) ? `${Number(seconds.toFixed(1))} s` : "");
  const clock = (seconds) => {
    const whole = Math.max(Math.round(seconds), 0);
    const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const two = (number) => String(number).padStart(2, "0");
    return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  };
  const left = (seconds) => {
    if (!isNumber(seconds)) return "";
    if (seconds <= 1) return "any moment now";
    if (seconds < 55) return `about ${Math.max(1, Math.round(seconds))} s left`;
    return `about ${Math.round(seconds / 60) || 1} min left`;
  };
  const bytes = (count) => {
    if (!isNumber(count)) return "";
    for (const [step, unit] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]) {
      if (count >= step) return `${(count / step).toFixed(count < 100 * step ? 1 : 0)} ${unit}`;
    }
    return `${count} B`;
  };
  const pixels = (size) => (typeof size === "string" ? size.replace("x", " × ") : "");
  const money = (usd) => {
    if (!isNumber(usd)) return "";
    const digits = usd !== 0 && usd < 0.1 ? 3 : 2;
    return `$${usd.toFixed(digits)}`;
  };
  const ago = (unix, now) => {
    if (!isNumber(unix)) return "";
    const seconds = Math.max(now - unix, 0);
    if (seconds < 45) return "just now";
    if (seconds < 3570) return `${Math.round(seconds / 60)} min ago`;
    if (seconds < 20 * 3600) return `${Math.round(seconds / 3600)} h ago`;
    return new Date(unix * 1000).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
  };
  const moment = (unix) => (isNumber(unix) ? new Date(unix * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) : "");
  const shape = (size) => {
    const found = /^([1-9]\d{0,5})x([1-9]\d{0,5})$/.exec(size ?? "");
    return found ? [Number(found[1]), Number(found[2])] : null;
  };
  const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  const CHARGED = { yes: "Charged", no: "Not charged", unknown: "May have been charged" };

  return { el, icon, length, clock, left, bytes, pixels, money, ago, moment, shape, sentence, isNumber, CHARGED };
})();
