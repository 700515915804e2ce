"use strict";
(() => {
  const data = JSON.parse(document.getElementById("runs").textContent);
  const column = (given) => {
    if (Array.isArray(given)) return given;
    const out = [];
    given.lengths.forEach((length, i) => { for (let n = 0; n < length; n++) out.push(given.values[i]); });
    return out;
  };
  const columns = {};
  for (const name of Object.keys(data.columns)) columns[name] = column(data.columns[name]);
  const named = (name, i) => data.names[name][columns[name][i]];
  const label = (i) => `${named("test", i)} ${named("configuration", i)} ${columns.seed[i]} ${named("stress", i)}`;
  const view = document.getElementById("view"), spacer = document.getElementById("spacer");
  const body = document.getElementById("rows"), shown = document.getElementById("shown");
  const search = document.getElementById("search"), status = document.getElementById("status");
  const ROW = 24;
  let chosen = [];

  const cell = (row, text, kind) => {
    const td = document.createElement("span");
    td.textContent = text;
    if (kind) td.className = kind;
    row.append(td);
  };
  const copier = (text) => {
    const button = document.createElement("button");
    button.textContent = "copy replay";
    button.dataset.copy = text;
    return button;
  };
  const draw = () => {
    const first = Math.max(0, Math.floor(view.scrollTop / ROW) - 5);
    const last = Math.min(chosen.length, first + Math.ceil(view.clientHeight / ROW) + 10);
    body.style.transform = `translateY(${first * ROW}px)`;
    body.replaceChildren();
    for (let n = first; n < last; n++) {
      const i = chosen[n], row = document.createElement("div"), word = named("status", i);
      row.className = "run";
      cell(row, word, word);
      cell(row, named("configuration", i));
      cell(row, named("test", i) + (columns.attempt[i] ? " (again)" : ""));
      cell(row, String(columns.seed[i]));
      cell(row, named("stress", i));
      cell(row, `${columns.ms[i]} ms`);
      const told = data.told[i];
      cell(row, told ? told[0] : "");
      if (told) { row.title = told[0]; row.append(copier(told[1])); }
      body.append(row);
    }
  };
  const choose = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean), wanted = status.value;
    chosen = [];
    for (let i = 0; i < data.count; i++) {
      if (wanted && named("status", i) !== wanted) continue;
      if (words.length) {
        const text = `${label(i)} ${data.told[i] ? data.told[i][0] : ""}`.toLowerCase();
        if (!words.every((word) => text.includes(word))) continue;
      }
      chosen.push(i);
    }
    spacer.style.height = `${Math.min(chosen.length * ROW, 8e6)}px`;
    shown.textContent = `${chosen.length} of ${data.count}`;
    view.scrollTop = 0;
    draw();
  };
  for (const name of data.names.status) {
    const option = document.createElement("option");
    option.value = option.textContent = name;
    status.append(option);
  }
  view.addEventListener("scroll", draw);
  search.addEventListener("input", choose);
  status.addEventListener("change", choose);
  const verdict = document.getElementById("verdict"), words = document.getElementById("clause-search");
  const filter = () => {
    const text = words.value.toLowerCase();
    for (const row of document.querySelectorAll("#clauses tbody tr")) {
      const other = verdict.value && row.dataset.verdict !== verdict.value;
      row.hidden = Boolean(other || (text && !row.textContent.toLowerCase().includes(text)));
    }
  };
  verdict.addEventListener("change", filter);
  words.addEventListener("input", filter);
  document.addEventListener("click", (event) => {
    const text = event.target.dataset ? event.target.dataset.copy : undefined;
    if (text === undefined) return;
    const said = event.target.textContent;
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    event.target.textContent = "copied";
    setTimeout(() => { event.target.textContent = said; }, 900);
  });
  choose();
  filter();
  document.documentElement.dataset.ready = String(data.count);
})();
