// The page goes on judging after it was written (docs/verdict.md, "A page that is left open").
// Everything shown is a function of the page's data and the reader's clock: it can be worked out
// again at any moment, also after the clock was set.
"use strict";
(() => {
  const body = document.body;
  const moment = (text) => (text ? Number(text) : null);
  const generatedAt = moment(body.dataset.generatedAt);
  const validUntil = moment(body.dataset.validUntil);
  const rank = { green: 0, yellow: 1, red: 2 };
  const clockTolerance = 5 * 60 * 1000;

  const entities = [...document.querySelectorAll("[data-entity]")].map((element) => ({
    element,
    use: element.querySelector(".icon use"),
    word: element.querySelector(".word"),
    detail: element.querySelector(".detail"),
    why: element.querySelector(".why[hidden]"),
    next: element.querySelector(".next"),
    place: Number(element.dataset.place),
    turns: JSON.parse(element.dataset.turns),
    written: {
      health: element.dataset.health,
      word: element.querySelector(".word").textContent,
      short: element.dataset.short,
      detail: element.querySelector(".detail").textContent,
    },
  }));
  const overall = document.querySelector("[data-verdict]");
  const lone = document.querySelector("[data-lone]");
  const headline = overall && overall.querySelector("h1");
  const written = overall && { health: overall.dataset.health, summary: headline.textContent };
  const unreachable = Boolean(document.querySelector(".banner"));
  const ages = [...document.querySelectorAll(".age[data-at]")];
  const stale = document.querySelector(".stale");
  const favicon = document.querySelector("link[rel=icon]");
  const title = document.title;
  const site = document.querySelector(".title").textContent;
  const until = (document.querySelector(".until") || {}).textContent || "";

  const ago = (milliseconds) => {
    const minutes = Math.floor(Math.max(0, milliseconds) / 60000);
    if (minutes < 1) return "less than a minute ago";
    if (minutes < 60) return `${minutes} min ago`;
    const hours = Math.floor(minutes / 60);
    if (minutes < 720) return minutes % 60 ? `${hours} h ${minutes % 60} min ago` : `${hours} h ago`;
    if (minutes < 2880) return `${hours} h ago`;
    return `${Math.floor(minutes / 1440).toLocaleString("en-US")} days ago`;
  };

  const setText = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text;
  };

  const show = (element, use, health) => {
    if (element.dataset.health !== health) element.dataset.health = health;
    if (use && use.getAttribute("href") !== `#${health}`) use.setAttribute("href", `#${health}`);
  };

  // What the rules say of an entity now: the first of its turns that has come.
  const judge = (entity, now) => entity.turns.find((turn) => now >= turn.from) || entity.written;

  // As sentences::summary has it.
  const sentence = (verdicts) => {
    const problems = verdicts
      .map((verdict, index) => ({ ...verdict, place: entities[index].place }))
      .filter((verdict) => verdict.health !== "green")
      .sort((a, b) => rank[b.health] - rank[a.health] || a.place - b.place);
    const [first, second] = problems;
    const more = problems.length - 2;
    const prefix = unreachable ? "The database cannot be read. " : "";
    if (problems.length === 1) return prefix + (first.alone || first.short);
    const rest = more ? `, and ${more} more ${more === 1 ? "needs" : "need"} attention` : "";
    return `${prefix}${first.short}, ${second.short}${rest}`;
  };

  const refresh = () => {
    const now = Date.now();
    const clockWrong = now < generatedAt - clockTolerance;
    const outOfDate = validUntil !== null && now > validUntil;
    const verdicts = entities.map((entity) => judge(entity, now));
    let changed = false;
    entities.forEach((entity, index) => {
      const verdict = verdicts[index];
      const turned = verdict !== entity.written;
      const unknown = clockWrong || (outOfDate && entity.element === lone);
      changed = changed || turned;
      show(entity.element, entity.use, unknown ? "grey" : verdict.health);
      setText(entity.word, clockWrong ? "Not known" : verdict.word);
      setText(entity.detail, verdict.detail);
      if (!lone) entity.detail.hidden = verdict.health === "green";
      if (entity.why) entity.why.hidden = !turned;
      if (entity.next) entity.next.hidden = turned;
    });
    for (const age of ages) setText(age, clockWrong ? "" : ago(now - Number(age.dataset.at)));

    let message = "";
    if (clockWrong)
      message = "This device’s clock is behind the moment at which this page was written, so nothing can be judged by it. Set the clock, or ask somebody with another device.";
    else if (outOfDate) message = `This page is out of date. ${until}`;
    setText(stale, message);
    stale.hidden = message === "";

    let health = verdicts.reduce((worst, v) => (rank[v.health] > rank[worst] ? v.health : worst), "green");
    let summary = null;
    if (overall) {
      if (rank[written.health] > rank[health]) health = written.health;
      summary = changed ? sentence(verdicts) : written.summary;
      if (clockWrong) summary = "This device’s clock seems to be wrong";
      else if (outOfDate && unreachable) summary = "The database cannot be read, and what was read before is out of date";
      else if (outOfDate) summary = `This page is out of date; when it was read: ${written.summary}`;
      setText(headline, summary);
    }
    if (clockWrong || outOfDate) health = "grey";
    if (overall) show(overall, overall.querySelector(".icon use"), health);
    const icon = `${body.dataset.root}assets/${body.dataset.version}/${health}.svg`;
    if (favicon.getAttribute("href") !== icon) favicon.setAttribute("href", icon);
    if (lone && changed) summary = lone.querySelector("h1").textContent;
    let tab = changed ? `${summary} · ${site}` : title;
    if (health === "grey") tab = `${clockWrong ? "Not known" : "Out of date"} · ${site}`;
    if (document.title !== tab) document.title = tab;
    return now;
  };

  // Every second, and at the very moments at which something turns.
  const moments = entities.flatMap((entity) => entity.turns.map((turn) => turn.from));
  if (validUntil !== null) moments.push(validUntil + 1);
  let timer = 0;
  const tick = () => {
    clearTimeout(timer);
    const now = refresh();
    const next = moments.filter((at) => at > now).reduce((soonest, at) => Math.min(soonest, at - now), 1000);
    timer = setTimeout(tick, Math.max(1, next));
  };
  tick();
  document.addEventListener("visibilitychange", tick);
  window.addEventListener("pageshow", tick);
  window.addEventListener("focus", tick);
})();
