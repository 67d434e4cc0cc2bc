"use strict";
// The token goes to the server once, and comes back as a cookie that scripts cannot read.

(() => {
  const form = document.getElementById("login");
  const wrong = document.getElementById("wrong");
  // A browser that came from another site did not show its cookie; from here it does.
  fetch("config.json", { cache: "no-store" }).then((answer) => { if (answer.ok) location.replace("./"); }).catch(() => {});
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.textContent = "";
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const answer = await fetch("login", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ token: form.elements.token.value }),
      });
      if (answer.ok) location.replace("./");
      else wrong.textContent = answer.status === 401 ? "That is not the token." : `The server answered ${answer.status}.`;
    } catch {
      wrong.textContent = "The server does not answer.";
    } finally {
      button.disabled = false;
      form.elements.token.select();
    }
  });
})();
