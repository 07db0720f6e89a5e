// The history can be filtered: by sync, result, days and words. The filter stands in the address, so
// that a view can be kept and shared. Without this script the pages of the days, results and syncs
// do.
"use strict";
(() => {
  const names = ["entity", "status", "from", "to", "q"];
  const patience = 250;
  let form = null;
  let days = [];
  let timer = 0;
  let hurried = false; // From the first filter on, only what is in view is laid out.

  // Where the browser refuses to change the address (some do for files), it stands after "#".
  const given = () => new URLSearchParams(location.hash.startsWith("#?") ? location.hash.slice(1) : location.search);
  const filter = Object.fromEntries(names.map((name) => [name, given().get(name) || ""]));

  const remember = () => {
    const query = new URLSearchParams(names.filter((name) => filter[name]).map((name) => [name, filter[name]])).toString();
    if (query === given().toString()) return;
    try {
      history.replaceState(null, "", query ? `?${query}` : location.pathname);
    } catch {
      location.replace(`#?${query}`);
    }
  };

  const rowOf = (element) => ({
    element,
    entity: element.querySelector("a").getAttribute("href").replace(/^.*\/|\.html$/g, ""),
    status: element.dataset.result.split(" "),
    words: null,
  });

  // In sync, result, action and error. Worked out when it is first asked for.
  const wordsOf = (row) => {
    if (row.words === null) {
      const [run, ...why] = row.element.rows;
      const cells = [...run.cells].slice(1, 4).concat(why);
      row.words = cells.map((cell) => cell.textContent).join(" ").toLowerCase();
    }
    return row.words;
  };

  const collect = () => {
    form = document.querySelector("form.filter");
    days = [...document.querySelectorAll("[data-day]")].map((element) => ({
      element,
      date: element.dataset.day,
      unlisted: Number(element.dataset.unlisted),
      tally: element.querySelector(".tally"),
      whole: element.querySelector(".tally").textContent,
      parts: [...element.querySelectorAll(".part")].map((part) => ({
        element: part,
        rows: [...part.querySelectorAll("[data-result]")].map(rowOf),
      })),
    }));
    if (!form) return;
    for (const name of names) {
      const field = form.elements[name];
      if (field.value.trim() !== filter[name]) field.value = filter[name];
      // What is no date cannot be filtered by.
      if (field.type === "date") filter[name] = field.value;
      // Somebody shared a filter by what is not there today: it is kept, and nothing matches.
      if (field.options && field.value !== filter[name]) field.add(new Option(filter[name], filter[name], true, true));
    }
    form.hidden = false;
  };

  const number = (count) => count.toLocaleString("en-US");
  const of = (day) => day.parts.reduce((sum, { rows }) => sum + rows.length, 0);

  const apply = () => {
    const { entity, status, from, to } = filter;
    const words = filter.q.toLowerCase().split(/\s+/).filter(Boolean);
    const filtering = names.some((name) => filter[name]);
    hurried ||= filtering;
    let all = 0;
    let matching = 0;
    let unlisted = 0;
    for (const day of days) {
      const within = (!from || day.date >= from) && (!to || day.date <= to);
      let shown = 0;
      for (const part of day.parts) {
        let of = 0;
        for (const row of part.rows) {
          const matches =
            within &&
            (!entity || row.entity === entity) &&
            (!status || row.status.includes(status)) &&
            (!words.length || words.every((word) => wordsOf(row).includes(word)));
          if (matches) of += 1;
          if (row.element.hidden === matches) row.element.hidden = !matches;
        }
        part.element.hidden = of === 0;
        // As high as it counts while it is out of view: a row, its error apart, has 35 pixels.
        if (hurried) Object.assign(part.element.style, { contentVisibility: "auto", containIntrinsicBlockSize: `${35 * of}px` });
        all += part.rows.length;
        shown += of;
      }
      // What is not listed here was not looked through: its day stays, with the way to its page.
      const elsewhere = within ? day.unlisted : 0;
      day.element.hidden = filtering && shown + elsewhere === 0;
      const listed = elsewhere ? ` listed here; ${number(elsewhere)} more on the page of the day` : "";
      const tally = filtering ? `${number(shown)} of ${number(of(day))} runs${listed}` : day.whole;
      if (day.tally.textContent !== tally) day.tally.textContent = tally;
      matching += shown;
      unlisted += elsewhere;
    }
    const which = unlisted ? `the ${number(all)} runs listed here` : `${number(all)} runs`;
    const rest = unlisted ? `; ${number(unlisted)} more of these days are on the pages of the days and syncs` : "";
    return filtering ? `${number(matching)} of ${which} ${matching === 1 ? "matches" : "match"}${rest}` : "";
  };

  // Said once nothing more is typed: a screen reader should not have to hear every letter.
  const announce = (message) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const said = form && form.querySelector("[role=status]");
      if (said && said.textContent !== message) said.textContent = message;
      remember();
    }, patience);
  };

  const start = () => {
    collect();
    if (form) announce(apply());
  };

  document.addEventListener("input", (event) => {
    if (!form || event.target.form !== form) return;
    for (const name of names) filter[name] = form.elements[name].value.trim();
    announce(apply());
  });
  document.addEventListener("reset", (event) => {
    if (event.target !== form) return;
    for (const name of names) filter[name] = "";
    announce(apply());
  });
  document.addEventListener("submit", (event) => {
    if (event.target === form) event.preventDefault();
  });
  document.addEventListener("syncmon:replaced", start);
  window.addEventListener("pagehide", remember);
  start();
})();
