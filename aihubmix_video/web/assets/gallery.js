"use strict";
// The gallery: cards from the data in the page itself, so that it works without any server.

(() => {
  const part = (id) => document.getElementById(id);
  const cards = JSON.parse(part("cards").textContent);
  const wall = Wall.make({
    parts: { list: part("wall"), more: part("more"), empty: part("empty"), tabs: part("tabs"), model: part("model"), search: part("search"), told: part("told") },
    ways: [{ icon: "save", label: "Open the file", fits: Cards.canPlay, href: (job) => job.content }],
    order: (one, other) => one.index - other.index,
    nothing: () => ["No videos yet", "They appear here as they are saved; load the page again."],
  });
  cards.forEach((card, index) => wall.put({ ...card, index }));
  wall.draw();
})();
