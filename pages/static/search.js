"use strict";
// The search of a static site: reads the files that pages/static_search.py describes.

(() => {
  const form = document.querySelector("form[data-index]");
  const field = form.elements.q;
  const status = document.getElementById("result");
  const articles = document.getElementById("articles");
  const list = articles.querySelector("ol");
  const heading = document.getElementById("articles-title");
  const topics = document.getElementById("topics");
  const more = document.getElementById("more");
  const language = document.documentElement.lang || "en";

  const MAX_WORDS = 10;
  const MAX_WORD = 32;
  const MIN_BEGINNING = 3;
  const MOST_FILES = 12; // of words that begin with the last one
  const PER_PAGE = 20;
  const NEAR = 5;
  const FOUND_TOPICS = 6;
  const MAX_NAME = 60;
  const BODY = 1, TEXT = 2, TITLE = 3, LEVELS = 4;
  const WEIGHTS = [0, 1, 4, 8];

  // Scripts that put no spaces between words: each character is a word, as in articles/catalog/search_words.py.
  const UNSPACED = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\u{20000}-\u{3ffff}]/gu;

  const folded = (text) => text.normalize("NFKD").toLowerCase().replace(/\p{M}/gu, "").normalize("NFC");

  // C++ and C# are words with their signs, as there.
  const WORD = /(?<![\p{L}\p{N}])[a-z](?:\+\+|#)(?!\p{L})|[\p{L}\p{N}]+/gu;

  // Typographic quotation marks mean the same as straight ones.
  const QUOTES = /[“”„«»「」]/gu;

  function wordsOf(text) {
    const found = folded(text).replace(UNSPACED, " $& ").match(WORD) ?? [];
    return found.map((word) => [...word].slice(0, MAX_WORD).join(""));
  }

  // A query: phrases of words that must be there, others that must not, and whether the last word is open.

  function parse(query) {
    const asked = { phrases: [], excluded: [], isOpen: false };
    const known = new Set();
    let left = MAX_WORDS;
    for (const [, minus, phrase, plain] of query.replace(QUOTES, '"').matchAll(/(?:(?<=\s)|^)(-?)(?:"([^"]*)"|(\S+))/gu)) {
      const words = wordsOf(phrase ?? plain);
      const isUnspaced = plain && folded(plain).search(UNSPACED) >= 0;
      // Characters that are words of their own count as one word, like those of other scripts.
      const size = (folded(phrase ?? plain).match(WORD) ?? []).length;
      for (const piece of phrase !== undefined || isUnspaced ? [words] : words.map((word) => [word])) {
        const key = `${minus}${piece.join(" ")}`;
        if (!piece.length || known.has(key)) continue;
        const cost = Math.min(piece.length, size);
        if (cost > left) return asked;
        left -= cost;
        known.add(key);
        (minus ? asked.excluded : asked.phrases).push(piece);
        if (!minus) asked.isOpen = phrase === undefined;
      }
    }
    return asked;
  }

  // Files. Their addresses carry the digest of their content: all are of one and the same export.

  const cache = new Map();

  function load(name, digest) {
    const address = `${form.dataset.index}${name}.json${digest ? `?${digest}` : ""}`;
    if (!cache.has(address)) {
      const loading = fetch(address, digest ? {} : { cache: "no-cache" }).then((answer) => {
        if (!answer.ok) throw new Error(`${answer.status} for ${address}`);
        return answer.json();
      });
      loading.catch(() => cache.delete(address));
      cache.set(address, loading);
    }
    return cache.get(address);
  }

  function stepsOf(word) {
    const codes = [...word].map((character) => character.codePointAt(0));
    const steps = codes.map((code) => code.toString(16));
    return codes[0] < 128 ? steps : [`u${(codes[0] >> 8).toString(16)}`, ...steps];
  }

  function keysOf(index, word, isOpen) {
    const steps = stepsOf(word);
    const keys = [];
    for (let length = steps.length; length > 0 && !keys.length; length -= 1) {
      const key = steps.slice(0, length).join("-");
      if (Object.hasOwn(index.words, key)) keys.push(key);
    }
    if (!isOpen) return keys;
    const start = `${steps.join("-")}-`;
    return [...keys, ...Object.keys(index.words).filter((key) => key.startsWith(start)).slice(0, MOST_FILES)];
  }

  // The articles with a word, by their numbers, with the best place in which they have it.

  async function placesOf(index, word, isOpen) {
    const found = new Map();
    const files = await Promise.all(
      keysOf(index, word, isOpen).map((key) => load(`words/${key}`, index.words[key])));
    for (const file of files) {
      const matching = isOpen ? Object.keys(file).filter((each) => each.startsWith(word)) : [word];
      for (const each of matching) {
        if (!Object.hasOwn(file, each)) continue;
        let value = 0;
        file[each].forEach((step, place) => {
          value = place ? value - step : step;
          const number = Math.floor(value / LEVELS);
          found.set(number, Math.max(found.get(number) ?? 0, value % LEVELS));
        });
      }
    }
    return found;
  }

  async function article(index, number) {
    const file = Math.floor(number / index.perFile);
    const listed = await load(`articles/${file}`, index.articles[file][0]);
    return listed[number % index.perFile];
  }

  // An article has a phrase where its words follow each other in a text that is known here. Of a body only the
  // words are known: then they are enough.

  function hasPhrase(shown, phrase, isInBody) {
    const [title, , summary, provider, , named] = shown;
    const texts = [title, summary, provider, ...named].map((text) => ` ${wordsOf(text).join(" ")} `);
    return isInBody || texts.some((text) => text.includes(` ${phrase.join(" ")} `));
  }

  // The best first: those with all words in their titles, then by how rare the words are, and how new the article.

  function ranked(index, places, needsAll) {
    const total = index.articles.length * index.perFile;
    const today = index.articles.length ? index.articles.at(-1)[1] : 0;
    const scores = new Map();
    for (const found of places) {
      const rare = Math.log(1 + total / (1 + found.size));
      for (const [number, place] of found) {
        const known = scores.get(number) ?? { number, words: 0, score: 0, place: TITLE };
        known.words += 1;
        known.score += rare * WEIGHTS[place];
        known.place = Math.min(known.place, place);
        scores.set(number, known);
      }
    }
    const matching = [...scores.values()].filter((each) => !needsAll || each.words === places.length);
    for (const each of matching) {
      const months = (today - index.articles[Math.floor(each.number / index.perFile)][1]) / 30;
      each.score *= 1 + 0.5 / (1 + Math.max(0, months));
    }
    return matching.sort((one, two) =>
      two.words - one.words || (two.place === TITLE) - (one.place === TITLE) || two.score - one.score ||
      two.number - one.number);
  }

  async function find(index, asked) {
    const words = asked.phrases.flat();
    const last = asked.isOpen && [...words.at(-1)].length >= MIN_BEGINNING ? words.length - 1 : -1;
    const places = await Promise.all(words.map((word, place) => placesOf(index, word, place === last)));
    const unwanted = asked.excluded.filter((phrase) => phrase.length === 1);
    const excluded = new Set();
    for (const [word] of unwanted) {
      for (const number of (await placesOf(index, word, false)).keys()) excluded.add(number);
    }
    const wanted = (found) => found.filter((each) => !excluded.has(each.number));
    const all = wanted(ranked(index, places, true));
    const phrases = asked.phrases.filter((phrase) => phrase.length > 1);
    const without = asked.excluded.filter((phrase) => phrase.length > 1);
    if (!phrases.length && !without.length) return { all, near: all.length ? [] : wanted(ranked(index, places, false)) };
    const exact = [];
    for (const each of all) {
      const shown = await article(index, each.number);
      if (phrases.every((phrase) => hasPhrase(shown, phrase, each.place === BODY)) &&
          !without.some((phrase) => hasPhrase(shown, phrase, false))) exact.push(each);
    }
    return { all: exact, near: [] };
  }

  // What is shown; all of it is text.

  function element(name, className, ...children) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...children);
    return made;
  }

  function marked(text, words) {
    const starts = words.filter(Boolean).map((word) => word.replaceAll("+", "\\+"));
    if (!starts.length) return [text];
    const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(${starts.sort((a, b) => b.length - a.length).join("|")})`, "giu");
    return text.split(pattern).map((part, place) => (place % 2 ? element("mark", "", part) : part));
  }

  function topicLink(index, name) {
    const topic = index.topics.find(([each]) => each === name);
    const short = name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name;
    const link = element(topic ? "a" : "span", topic ? `kicker tint-${topic[3]}` : "kicker", short);
    if (topic) link.href = topic[1];
    link.dir = "auto";
    return link;
  }

  function entry(index, [title, href, summary, provider, when, named, own, initial, tint, quality], words) {
    const link = element("a", "", ...marked(title, words));
    link.href = href;
    const source = element("span", "provider", provider);
    source.dir = "auto";
    const time = element("time", "", when.slice(0, 10));
    time.dateTime = when;
    const shown = element("article", "entry", element("h3", "", link));
    shown.dir = "auto";
    if (own) shown.lang = own;
    if (summary) shown.append(element("p", "summary", ...marked(summary, words)));
    const monogram = element("span", `monogram tint-${tint}`);
    monogram.dataset.initial = initial;
    monogram.ariaHidden = "true";
    const meta = element("p", "meta", monogram, source, " ", time);
    if (quality !== null) meta.append(" ", element("span", "quality", filled(status.dataset.quality, { quality })));
    meta.append(...named.flatMap((name) => [" ", topicLink(index, name)]));
    shown.append(meta);
    return element("li", "", shown);
  }

  // As on the server: a topic is found by all its names, a short word has to be a whole word of one, and the topic
  // of that very name comes first.

  function topicsNamed(index, words) {
    const isIn = (names, word) => (/^[a-z0-9]{1,2}$/.test(word)
      ? new RegExp(`(?<![a-z0-9])${word}(?![a-z0-9])`).test(folded(names))
      : folded(names).includes(word));
    const isName = ([name]) => wordsOf(name).join(" ") === words.join(" ");
    return index.topics
      .filter(([name, , , , others]) => words.length && words.every((word) => isIn(`${name} ${others}`, word)))
      .sort((one, two) => isName(two) - isName(one));
  }

  function showTopics(index, words) {
    const boxes = topicsNamed(index, words).slice(0, FOUND_TOPICS).map(([name, href, count, tint]) => {
      const tile = element("span", `tile small tint-${tint}`);
      tile.dataset.initial = (name.match(/[\p{L}\p{N}]/u)?.[0] ?? "•").toUpperCase();
      tile.ariaHidden = "true";
      const link = element("a", "box", tile, `${name} `, element("span", "count", count.toLocaleString(language)));
      link.href = href;
      link.dir = "auto";
      return element("li", "", link);
    });
    topics.querySelector("ul").replaceChildren(...boxes);
    topics.hidden = !boxes.length;
  }

  function results(count) {
    const isOne = new Intl.PluralRules(language).select(count) === "one";
    return isOne ? status.dataset.one : status.dataset.many.replace("5", count.toLocaleString(language));
  }

  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  // What is shown changes in one step, when all of it is there: never a heading over an empty list.

  async function search(query, isLatest) {
    const asked = parse(query);
    const words = asked.phrases.flat();
    if (!words.length) return showNothing("");
    const index = await load("index");
    const { all, near } = await find(index, asked);
    const found = all.length ? all : near.slice(0, NEAR);
    const page = async (from) => {
      const part = found.slice(from, from + PER_PAGE);
      const loaded = await Promise.all(part.map((each) => article(index, each.number)));
      return loaded.map((each) => entry(index, each, words));
    };
    const first = await page(0);
    if (!isLatest()) return;
    showTopics(index, words);
    status.textContent = filled(all.length ? status.dataset.found : status.dataset.none,
      { results: results(all.length), query });
    heading.textContent = all.length ? heading.dataset.title : heading.dataset.near;
    show(first, first.length < found.length);
    more.onclick = async () => {
      const from = list.children.length;
      const next = await page(from).catch(() => null);
      if (!isLatest() || list.children.length !== from) return; // another search, or a second click
      if (next) {
        list.append(...next);
        announce(from + next.length < found.length);
      } else status.textContent = status.dataset.failed;
    };
  }

  function show(entries, hasMore = false) {
    list.replaceChildren(...entries);
    articles.hidden = !entries.length;
    announce(hasMore);
  }

  function announce(hasMore) {
    more.hidden = !hasMore;
    list.dispatchEvent(new CustomEvent("newswire-added", { bubbles: true }));
  }

  function showNothing(text) {
    status.textContent = text;
    topics.hidden = true;
    show([]);
  }

  let current = "";
  let searches = 0;

  async function start(query) {
    const number = searches += 1;
    const isLatest = () => number === searches;
    current = query;
    document.title = query ? `${query} – ${title}` : title;
    list.setAttribute("aria-busy", "true");
    try {
      await search(query, isLatest);
    } catch {
      if (isLatest()) showNothing(status.dataset.failed);
    }
    if (isLatest()) list.removeAttribute("aria-busy");
  }

  const title = document.title;
  heading.dataset.title = heading.textContent;
  let timer = 0;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => ask(field.value.trim(), true), 200);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    ask(field.value.trim(), false);
  });
  window.addEventListener("popstate", fromAddress);

  function ask(query, isTyped) {
    if (query === current) return;
    const address = query ? `${location.pathname}?${new URLSearchParams({ q: query })}` : location.pathname;
    if (isTyped) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    start(query);
  }

  function fromAddress() {
    field.value = (new URLSearchParams(location.search).get("q") ?? "").slice(0, field.maxLength);
    start(field.value.trim());
  }

  fromAddress();
})();
