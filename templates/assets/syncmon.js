// How an open page goes on (docs/verdict.md): all follows from its data and the clock.
"use strict";
(() => {
  const { body } = document;
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const setText = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text;
  };
  const set = (element, name, value) => {
    if (element && element.getAttribute(name) !== `${value}`) element.setAttribute(name, value);
  };

  const minute = 60000;
  const rank = { green: 0, yellow: 1, red: 2 };
  const bars = { "-": ["none", 12], g: ["green", 10], y: ["yellow", 6], r: ["red", 0] };
  const news = one(".news");
  const favicon = one("link[rel=icon]");
  const name = one("title");

  // What was written.
  let entities, overall, lone, headline, summary, texts, strips, midnights, moments, generatedAt, validUntil, title, icon, worst;
  const read = () => {
    const { dataset } = body;
    generatedAt = Number(dataset.generatedAt);
    validUntil = Number(dataset.validUntil) || Infinity;
    midnights = dataset.midnights.split(",").map(Number);
    title = name.textContent;
    icon = favicon.getAttribute("href");
    [, worst] = /(\w+)\.svg/.exec(icon);
    overall = one("[data-verdict]");
    lone = one("[data-lone]");
    headline = one("h1");
    summary = headline?.textContent;
    entities = all("[data-entity]").map((element) => {
      const { health, short, many, place, turns } = element.dataset;
      const [use, word, grounds, means, why] = [".icon use", ".word", ".grounds", ".means", ".why[hidden]"].map((part) => one(part, element));
      const written = { from: 0, health, short, many, word: word.textContent, grounds: grounds.textContent, means: means.textContent };
      return { element, use, word, grounds, means, why, place, turns: [...JSON.parse(turns), written] };
    });
    texts = all("[data-later]").map((element) => ({
      element,
      later: [...JSON.parse(element.dataset.later), [0, element.textContent]],
    }));
    strips = all(".strip").map((svg) => ({ svg, drawn: svg.dataset.days }));
    moments = [
      validUntil + 1,
      ...midnights,
      ...entities.flatMap(({ turns }) => turns.map(({ from }) => from)),
      ...texts.flatMap(({ later }) => later.map(([from]) => from)),
    ];
  };

  // As in views::times.
  const span = (milliseconds) => {
    const minutes = Math.floor(milliseconds / minute);
    const hours = Math.floor(minutes / 60);
    if (minutes < 1) return "less than a minute";
    if (minutes < 60) return `${minutes} min`;
    if (minutes < 720 && minutes % 60) return `${hours} h ${minutes % 60} min`;
    if (hours < 48) return `${hours} h`;
    return `${Math.floor(hours / 24).toLocaleString("en-US")} days`;
  };

  // As in views::sentences.
  const sentence = (verdicts) => {
    const problems = verdicts
      .filter(({ health }) => health !== "green")
      .sort((a, b) => rank[b.health] - rank[a.health] || a.place - b.place);
    const [first, second] = problems;
    const more = problems.length - 2;
    const prefix = one(".banner") ? "The database cannot be read. " : "";
    if (!second) return prefix + (first.alone || first.short);
    if (more && verdicts.every(({ word }) => word === first.word)) return `${prefix}All ${more + 2} syncs ${first.many}`;
    const rest = more ? `, and ${more} more ${more === 1 ? "needs" : "need"} attention` : "";
    return `${prefix}${first.short}, ${second.short}${rest}`;
  };

  // As in views::strip; the oldest days leave.
  const draw = (strip, now, clockWrong) => {
    const { svg } = strip;
    const { days, present, yellow, red } = svg.dataset;
    const begun = midnights.filter((midnight) => now >= midnight);
    const fresh = [0, ...begun].map((start, index) => {
      const end = Math.min(now, (midnights[index] || Infinity) - 1);
      const worst = end >= red ? "r" : end >= yellow ? "y" : present;
      if (clockWrong || (worst === "g" && start > validUntil)) return "-";
      const before = start ? "-" : days.slice(-1);
      return bars[before][1] < bars[worst][1] ? before : worst;
    });
    const shown = days.slice(begun.length, -1) + fresh.join("");
    if (shown === strip.drawn) return;
    strip.drawn = shown;
    set(svg, "viewBox", `${3 * begun.length} 0 ${3 * days.length} 14`);
    const [today, ...others] = all("rect", svg);
    for (const other of others) other.remove();
    fresh.forEach((letter, index) => {
      const bar = index ? svg.appendChild(today.cloneNode()) : today;
      const [name, top] = bars[letter];
      set(bar, "class", name);
      set(bar, "x", 3 * (days.length - 1 + index));
      set(bar, "y", top);
      set(bar, "height", 14 - top);
    });
    const numbers = ["gyr-", ..."gyr-"].map((kind) => [...shown].filter((letter) => kind.includes(letter)).length);
    const label = svg.getAttribute("aria-label").replace(/\d+/g, () => numbers.shift());
    set(svg, "aria-label", label);
    setText(one("[data-spoken]", svg.parentNode), `${label}.`);
  };

  let skew = 0; // Of the reader's clock.
  let doubt; // Why nothing is green.
  let told;
  let timer;

  const refresh = () => {
    const now = Date.now() + skew;
    doubt = now < generatedAt - 5 * minute ? "clock" : now > validUntil ? "old" : "";
    const clockWrong = doubt === "clock";
    let health = worst;
    let changed = false;
    const verdicts = entities.map(({ element, use, word, grounds, means, why, place, turns }) => {
      const verdict = turns.find(({ from }) => now >= from);
      const turned = verdict.from > 0;
      const shown = clockWrong || (doubt && element === lone) ? "grey" : verdict.health;
      changed = changed || turned;
      if (rank[verdict.health] > rank[health]) health = verdict.health;
      set(element, "data-health", shown);
      set(use, "href", `#${shown}`);
      setText(word, clockWrong ? "Not known" : verdict.word);
      setText(grounds, verdict.grounds);
      setText(means, verdict.means);
      if (!lone) grounds.hidden = verdict.health === "green";
      if (why) why.hidden = !turned;
      return { ...verdict, place };
    });
    for (const age of all(".age[data-at]")) setText(age, clockWrong ? "" : `${span(now - age.dataset.at)} ago`);
    for (const { element, later } of texts) setText(element, later.find(([from]) => now >= from)[1]);
    for (const problem of all("[data-from]")) problem.hidden = clockWrong || now < problem.dataset.from;
    for (const strip of strips) draw(strip, now, clockWrong);

    const stale = one(".stale");
    setText(stale, stale.dataset[doubt] || "");
    stale.hidden = !doubt;
    const clock = one(".clock");
    const amount = span(Math.abs(skew) + minute / 2);
    setText(clock, `This device’s clock is ${amount} ${skew > 0 ? "behind" : "ahead"}; this page goes by the server’s.`);
    clock.hidden = !skew || clockWrong;

    if (doubt) health = "grey";
    if (overall) {
      setText(headline, headline.dataset[doubt] || (changed ? sentence(verdicts) : summary));
      set(overall, "data-health", health);
      set(one(".icon use", overall), "href", `#${health}`);
    }
    const heard = headline?.textContent ?? "";
    set(favicon, "href", overall || lone || doubt ? icon.replace(/\w+\.svg/, `${health}.svg`) : icon);
    const tab = doubt ? (clockWrong ? "Not known" : "Out of date") : heard;
    setText(name, doubt || changed ? `${tab} · ${one(".title").textContent}` : title);
    const tidings = stale.textContent || heard;
    if (told && told !== tidings) setText(news, tidings);
    told = tidings;

    clearTimeout(timer);
    timer = setTimeout(refresh, Math.min(1000 - (now % 1000), ...moments.map((at) => at - now).filter((ahead) => ahead > 0)));
  };

  // Touches only what differs: focus, scrolling, what was unfolded or typed stays.
  const become = (old, fresh) => {
    if (old === news || old.isEqualNode(fresh)) return;
    if (old.nodeType !== 1) {
      old.data = fresh.data;
      return;
    }
    for (const { name } of [...old.attributes])
      if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (name !== "open") set(old, name, value);
    let next = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      const same = child.id
        ? [...old.children].find(({ id }) => id === child.id)
        : next && !next.id && next.nodeName === child.nodeName && next;
      if (same && same === next) next = next.nextSibling;
      else old.insertBefore(same || child, next);
      if (same) become(same, child);
    }
    while (next) {
      const gone = next;
      next = next.nextSibling;
      gone.remove();
    }
  };

  // Without a password.
  const here = location.origin + location.pathname + location.search;
  let asking, refused; // Asking again would ask for a password.

  const get = async (path) => {
    const response = await fetch(new URL(path, here), { cache: "no-cache", signal: AbortSignal.timeout(minute / 2) });
    refused = response.status === 401;
    if (!response.ok) throw response;
    return response;
  };

  // If what came is a page of ours, and whole.
  const replace = async () => {
    const text = await (await get(here)).text();
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const { generatedAt, version } = fresh.body.dataset;
    if (!/<\/html>\s*$/.test(text) || !generatedAt || generatedAt === body.dataset.generatedAt) return;
    if (version !== body.dataset.version) return location.reload();
    const focused = document.activeElement;
    become(body, fresh.body);
    become(favicon, one("link[rel=icon]", fresh));
    setText(name, fresh.title);
    read();
    refresh();
    focused.focus({ preventScroll: true });
    document.dispatchEvent(new Event("syncmon:replaced"));
  };

  const follow = async () => {
    if (asking || refused || document.hidden || !/^http/.test(here)) return;
    asking = true;
    try {
      const sent = Date.now();
      const response = await get(`${body.dataset.root}status.json`);
      const received = Date.now();
      const { headers } = response;
      const built = Date.parse((await response.json()).generated_at);
      const date = Date.parse(headers.get("date")) + 1000 * headers.get("age") + 500;
      const behind = date - (sent + received) / 2;
      if (date >= built - 5 * minute && Math.abs(received - sent) < minute / 2)
        skew = Math.abs(behind) < minute / 2 ? 0 : Math.round(behind);
      if (built && built !== generatedAt) await replace();
    } catch {} // The next minute may be better.
    asking = false;
    refresh();
  };

  read();
  refresh();
  if (doubt) follow();
  setInterval(follow, minute);
  document.addEventListener("visibilitychange", () => {
    refresh();
    refused = false;
    follow();
  });
  addEventListener("pageshow", ({ persisted }) => {
    refresh();
    if (persisted) follow();
  });
  addEventListener("focus", refresh);
})();
