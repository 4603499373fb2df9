"use strict";
// Enhancements. Every page works without them.

(() => {
  const units = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];

  function ago(time, now) {
    const past = (now - new Date(time)) / 1000;
    for (const [name, seconds] of units) {
      const count = Math.floor(past / seconds);
      if (count >= 1) return `${count} ${name}${count === 1 ? "" : "s"} ago`;
    }
    return past >= 0 ? "just now" : "soon";
  }

  // Keep the relative times of an open page correct.
  function refreshTimes() {
    const now = Date.now();
    for (const time of document.querySelectorAll("time[datetime]")) {
      const spoken = time.nextElementSibling?.classList.contains("ago") ? time.nextElementSibling : null;
      if (spoken) spoken.textContent = `(${ago(time.dateTime, now)})`;
      else if (time.title) time.textContent = ago(time.dateTime, now);
    }
  }
  setInterval(refreshTimes, 60000);

  async function copy(field) {
    try {
      await navigator.clipboard.writeText(field.value);
      return true;
    } catch {
      field.select(); // there is no clipboard API on plain http
      return document.execCommand("copy");
    }
  }

  function equip(root) {
    for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const isCopied = await copy(document.getElementById(button.dataset.copy));
    button.textContent = isCopied ? "Copied" : "Press ⌘C";
    button.closest(".panel").querySelector("[role=status]").textContent = isCopied
      ? "Copied to the clipboard."
      : "The address is selected: press Ctrl+C or Command+C.";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });

  document.addEventListener("focusin", (event) => {
    if (event.target.matches(".address input")) event.target.select();
  });

  function filledIn(form) {
    return new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  }

  for (const form of document.querySelectorAll("form[data-live]")) {
    const target = form.dataset.live;
    let timer = 0;
    let running = null;

    const update = async () => {
      const results = document.getElementById(target);
      const query = filledIn(form);
      const address = query.size ? `${form.action}?${query}` : form.action;
      running?.abort();
      running = new AbortController();
      results.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(address, { signal: running.signal, headers: { Accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById(target);
        if (!fresh) return;
        equip(fresh);
        results.replaceWith(document.adoptNode(fresh));
        history.replaceState(null, "", address);
      } catch (error) {
        if (error.name === "AbortError") return;
        results.removeAttribute("aria-busy"); // offline: the button still works
      }
    };
    const soon = (delay) => {
      clearTimeout(timer);
      timer = setTimeout(update, delay);
    };
    form.addEventListener("input", (event) => {
      for (const output of form.querySelectorAll("output")) output.textContent = form.elements[output.htmlFor].value;
    });
    form.addEventListener("input", (event) => soon(event.target.matches("[type=checkbox], [type=radio]") ? 0 : 300));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      soon(0);
    });
  }

  equip(document);
})();
