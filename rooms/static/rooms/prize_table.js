// The prize table: the sum while typing, and rows that come and go. The server checks it all again.
"use strict";

function hundredths(text) {
  const match = /^(\d{1,3})(?:[.,](\d{1,2}))?$/.exec(text.trim());
  return match ? Number(match[1]) * 100 + Number((match[2] || "").padEnd(2, "0")) : null;
}

function percentText(value) {
  return (value / 100).toFixed(2).replace(/\.?0+$/, "");
}

function say(words, values) {
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function judge(values, words) {
  if (values.some((value) => value === null)) return [false, words.wrong];
  const sum = values.reduce((total, value) => total + value, 0);
  if (values.some((value, rank) => value <= 0 || (rank > 0 && value >= values[rank - 1])))
    return [false, say(words.order, { sum: percentText(sum) })];
  if (sum < 10000) return [false, say(words.less, { sum: percentText(sum), rest: percentText(10000 - sum) })];
  if (sum > 10000) return [false, say(words.more, { sum: percentText(sum), rest: percentText(sum - 10000) })];
  return [true, say(words.right, { sum: 100 })];
}

function bindPrizeTable(table) {
  const rows = () => [...table.querySelectorAll("[data-prize]")];
  const sum = table.querySelector("[data-sum]");
  const add = table.querySelector("[data-add]");

  function refresh() {
    const texts = rows().map((row) => row.querySelector("input").value);
    while (texts.length > 1 && !texts[texts.length - 1].trim()) texts.pop();
    const [isRight, words] = judge(texts.map(hundredths), table.dataset);
    sum.textContent = words;
    sum.className = `bo-sum ${isRight ? "bo-sum-right" : "bo-sum-wrong"}`;
    rows().forEach((row, index) => {
      const input = row.querySelector("input");
      input.id = input.id.replace(/\d+$/, String(index + 1));
      const label = row.querySelector("label");
      label.htmlFor = input.id;
      label.textContent = say(table.dataset.rank, { rank: index + 1 });
      row.querySelector("[data-remove]").hidden = rows().length === 1;
    });
    add.hidden = rows().length >= Number(table.dataset.rowsMax);
  }

  table.addEventListener("input", refresh);
  table.addEventListener("click", (event) => {
    if (event.target.closest("[data-remove]")) {
      event.target.closest("[data-prize]").remove();
      refresh();
    } else if (event.target.closest("[data-add]")) {
      const last = rows().at(-1);
      const row = last.cloneNode(true);
      row.querySelector("input").value = "";
      last.after(row);
      refresh();
      row.querySelector("input").focus();
    }
  });
  refresh();
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-prize-table]").forEach(bindPrizeTable);
});
