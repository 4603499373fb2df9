"use strict";
// Enhancements. Every page works without them.

(() => {
  // What a reader chose stays in this browser.
  const memory = {
    get(name) {
      try {
        return localStorage.getItem(`newswire-${name}`);
      } catch {
        return null; // storage is switched off
      }
    },
    set(name, value) {
      try {
        localStorage.setItem(`newswire-${name}`, value);
      } catch {
        // It is then forgotten with the page.
      }
    },
  };

  // Times: exact in the page, and relative to now where there are scripts.

  const language = document.documentElement.lang || "en";
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const oldest = 30; // days: what is older keeps its date

  const ofDay = /,? (\d\d:\d\d UTC)$/;
  const isBesideItsDay = (time) => Boolean(time.closest(".day .entry"));

  function spoken(time, now) {
    const value = time.dateTime;
    if (value.length === 10) {
      const [year, month, day] = value.split("-").map(Number);
      const midnight = new Date(year, month - 1, day);
      const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - midnight) / 86400000);
      if (days >= 0 && days <= oldest) return relative.format(-days, "day");
      return isBesideItsDay(time) ? "" : time.title;
    }
    const seconds = (now - new Date(value)) / 1000;
    if (seconds > oldest * 86400) {
      // As the site writes it; the day is not repeated.
      return isBesideItsDay(time) ? (time.title.match(ofDay)?.[1] ?? "") : time.title.replace(ofDay, "");
    }
    const [name, length] = units.find(([, size]) => Math.abs(seconds) >= size) ?? units[3];
    return name === "second" ? relative.format(0, "second") : relative.format(-Math.trunc(seconds / length), name);
  }

  function day(time, now) {
    const [year, month, date] = time.dateTime.split("-").map(Number);
    const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(year, month - 1, date)) / 86400000);
    if (days !== 0 && days !== 1) return time.title;
    const word = relative.format(-days, "day");
    return word[0].toLocaleUpperCase(language) + word.slice(1);
  }

  function refreshTimes(root) {
    const now = Date.now();
    for (const time of root.querySelectorAll("time[datetime]:not([data-exact])")) {
      if (!time.title) time.title = time.textContent;
      time.textContent = "day" in time.dataset ? day(time, now) : spoken(time, now);
    }
  }
  setInterval(() => refreshTimes(document), 60000);
  // On paper, "3 days ago" would soon be wrong.
  addEventListener("beforeprint", () => {
    for (const time of document.querySelectorAll("time[title]")) time.textContent = time.title;
  });
  addEventListener("afterprint", () => refreshTimes(document));

  // Copying an address.

  async function copy(field) {
    try {
      await navigator.clipboard.writeText(field.value);
      return true;
    } catch {
      field.select(); // there is no clipboard API on plain http
      return document.execCommand("copy");
    }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button || button.textContent === document.querySelector("[data-done]").dataset.done) return;
    const isCopied = await copy(document.getElementById(button.dataset.copy));
    const status = document.querySelector(".subscribe [role=status]");
    const label = button.textContent;
    if (label === status.dataset.done) return; // a second click, before the first one had copied
    status.textContent = isCopied ? status.dataset.copied : status.dataset.selected;
    if (!isCopied) return;
    button.textContent = status.dataset.done;
    setTimeout(() => (button.textContent = label), 2000);
  });

  document.addEventListener("focusin", (event) => {
    if (event.target.matches(".address input")) event.target.select();
  });

  // The feed reader that was chosen last is offered first.

  function offerReader(root) {
    const name = memory.get("reader");
    for (const open of root.querySelectorAll("[data-open]")) {
      const links = [...open.parentElement.querySelectorAll("[data-reader]")];
      const link = links.find((each) => each.dataset.reader === name);
      const menu = open.parentElement.querySelector(".menu summary");
      open.hidden = !link;
      menu.classList.toggle("other", Boolean(link));
      if (!link) continue;
      open.href = link.href;
      open.textContent = open.dataset.open.replace("%s", name);
      menu.textContent = menu.dataset.other;
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-reader]");
    if (link) {
      memory.set("reader", link.dataset.reader);
      offerReader(document);
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (link || !menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // Switches that stay as they were left.

  for (const box of document.querySelectorAll("input[data-remember]")) {
    box.checked = memory.get(box.dataset.remember) === "yes";
    box.addEventListener("change", () => memory.set(box.dataset.remember, box.checked ? "yes" : "no"));
  }

  // A box that chooses all the others of a form.

  for (const every of document.querySelectorAll("input[data-every]")) {
    every.closest("label").hidden = false;
    every.addEventListener("change", () => {
      for (const box of every.form.querySelectorAll(`input[name="${every.dataset.every}"]`)) box.checked = every.checked;
    });
  }

  // A bar that repeats a part of the page is hidden while that part is in view.

  function watchBars(root) {
    for (const bar of root.querySelectorAll("[data-bar]")) {
      const part = root.querySelector(`#${bar.dataset.bar}`);
      if (!part) continue;
      new IntersectionObserver(([seen]) => bar.classList.toggle("away", seen.isIntersecting)).observe(part);
    }
  }

  function equip(root) {
    for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
    refreshTimes(root);
    offerReader(root);
    watchBars(root);
  }

  // Forms that show their results while they are filled in.

  function filledIn(form) {
    return new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  }

  // The numbers beside the choices, which stay where they are.
  function showCounts(form, page) {
    for (const box of form.querySelectorAll("label.box")) {
      const { name, value } = box.querySelector("input");
      const fresh = page.querySelector(`input[name="${name}"][value="${CSS.escape(value)}"] ~ .count`);
      if (!fresh) continue;
      box.querySelector(".count").textContent = fresh.textContent;
      box.className = fresh.parentElement.className;
    }
  }

  // `data-live` names the parts that are replaced. A field with `data-live` of its own replaces that part too:
  // never the part that it is in itself, because the field would lose the focus.
  for (const form of document.querySelectorAll("form[data-live]")) {
    const targets = new Map(); // what is to be replaced, and since which change of the form
    let changes = 0;
    let timer = 0;
    let running = null;

    const failed = (parts, isSubmitted) => {
      for (const part of parts) part.removeAttribute("aria-busy");
      if (isSubmitted) form.submit(); // the browser then shows what is wrong
    };
    const update = async (isSubmitted) => {
      const query = filledIn(form);
      const address = query.size ? `${form.action}?${query}` : form.action;
      running?.abort();
      running = new AbortController();
      const answered = changes;
      const parts = [...targets.keys()].map((id) => document.getElementById(id));
      for (const part of parts) part.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(address, { signal: running.signal, headers: { Accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (!parts.every((part) => page.getElementById(part.id))) {
          failed(parts, isSubmitted); // such as the page of an error
          return;
        }
        showCounts(form, page);
        for (const part of parts) {
          const fresh = page.getElementById(part.id);
          part.replaceWith(document.adoptNode(fresh));
          equip(fresh);
        }
        for (const [id, since] of targets) if (since <= answered) targets.delete(id);
        history.replaceState(null, "", address);
      } catch (error) {
        if (error.name !== "AbortError") failed(parts, isSubmitted); // such as offline
      }
    };
    const soon = (field, delay, isSubmitted = false) => {
      changes += 1;
      targets.set(form.dataset.live, changes);
      if (field?.dataset.live) targets.set(field.dataset.live, changes);
      clearTimeout(timer);
      timer = setTimeout(update, delay, isSubmitted);
    };
    form.addEventListener("input", (event) => {
      for (const output of form.querySelectorAll("output")) output.textContent = form.elements[output.htmlFor].value;
      soon(event.target, event.target.matches("[type=checkbox], [type=radio]") ? 0 : 300);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      soon(null, 0, true);
    });
  }

  document.addEventListener("newswire-added", (event) => equip(event.target));
  equip(document);
})();
