// The page is complete without this. It adds sorting, filtering and copying, and makes its own buttons: a page that does
// not run scripts shows no dead ones.
"use strict";
(() => {
  const make = (tag, props, ...children) => {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...children);
    return node;
  };

  // Sorting. Numbers come from data-sort; words are compared as people order them. Ties keep their order.
  const key = (row, column) => {
    const cell = row.cells[column];
    const text = cell ? cell.dataset.sort ?? cell.textContent.trim() : "";
    const number = text === "" ? NaN : Number(text);
    return Number.isNaN(number) ? text : number;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  // Filtering: every word typed must occur.
  const matches = (node, words) => {
    const text = (node.searchText ??= node.textContent.toLowerCase());
    return words.every((word) => text.includes(word));
  };
  const words = (input) => input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const search = (placeholder, apply) => {
    const input = make("input", { type: "search", placeholder, autocomplete: "off", spellcheck: false });
    input.setAttribute("aria-label", placeholder);
    input.addEventListener("input", apply);
    return input;
  };
  // Long tables show their first rows until asked for the rest, or searched.
  const fold = (table, rows) => {
    if (rows.length <= 15) return () => {};
    let asked = false;
    const button = make("button", { type: "button" }, `Show all ${rows.length}`);
    const apply = (searching) => {
      const folded = !asked && !searching;
      table.classList.toggle("folded", folded);
      button.hidden = !folded;
    };
    button.addEventListener("click", () => apply(!(asked = true)));
    table.after(make("div", { className: "tools" }, button));
    apply(false);
    return apply;
  };
  // What is done to the content of the page; a dashboard whose content changes asks for it again.
  const enhance = () => {
    for (const table of document.querySelectorAll("table[data-sortable]")) {
      const heads = [...table.tHead.rows[0].cells];
      heads.forEach((head, column) => {
        const button = make("button", { type: "button", className: "sort" }, ...head.childNodes);
        head.append(button);
        button.addEventListener("click", () => {
          const numeric = head.classList.contains("num");
          const now = head.getAttribute("aria-sort");
          const down = now ? now === "ascending" : numeric;
          heads.forEach((other) => other.removeAttribute("aria-sort"));
          head.setAttribute("aria-sort", down ? "descending" : "ascending");
          const body = table.tBodies[0];
          const rows = [...body.rows].map((row) => [key(row, column), row]);
          rows.sort((a, b) => (down ? compare(b[0], a[0]) : compare(a[0], b[0])));
          body.append(...rows.map(([, row]) => row));
        });
      });
    }

    for (const table of document.querySelectorAll("table[data-filter]")) {
      const rows = [...table.tBodies[0].rows];
      if (rows.length < 6) continue;
      const refold = fold(table, rows);
      const shown = make("span", { className: "muted", ariaLive: "polite" });
      const input = search(table.dataset.filter, () => {
        const wanted = words(input);
        let visible = 0;
        for (const row of rows) visible += !(row.hidden = !matches(row, wanted));
        shown.textContent = wanted.length ? `${visible} of ${rows.length}` : "";
        refold(wanted.length > 0);
      });
      table.before(make("div", { className: "tools" }, input, shown));
    }

    // Findings: words, severities, open and close all.
    const list = document.querySelector("[data-findings]");
    if (list) {
      const all = [...list.querySelectorAll("details.finding")];
      const off = new Set();
      const shown = make("span", { className: "muted", ariaLive: "polite" });
      const apply = () => {
        const wanted = words(input);
        let visible = 0;
        for (const one of all) visible += !(one.hidden = off.has(one.dataset.severity) || !matches(one, wanted));
        shown.textContent = visible < all.length ? `${visible} of ${all.length}` : "";
      };
      const input = search("Filter findings", apply);
      const grades = ["critical", "high", "medium", "low", "info"]
        .filter((grade) => all.some((one) => one.dataset.severity === grade))
        .map((grade) => {
          const button = make("button", { type: "button", className: `toggle sev-${grade}` }, grade);
          button.setAttribute("aria-pressed", "true");
          button.addEventListener("click", () => {
            const on = off.delete(grade) || !off.add(grade);
            button.setAttribute("aria-pressed", String(on));
            apply();
          });
          return button;
        });
      const expand = make("button", { type: "button" }, "Open all");
      expand.addEventListener("click", () => {
        const open = all.some((one) => !one.hidden && !one.open);
        for (const one of all) if (!one.hidden) one.open = open;
        expand.textContent = open ? "Close all" : "Open all";
      });
      list.before(make("div", { className: "tools" }, input, ...grades, expand, shown));
    }

    // Copying. Where the clipboard is closed to pages opened from disk, the text is selected instead.
    for (const box of document.querySelectorAll(".command")) {
      const code = box.querySelector("code");
      const button = make("button", { type: "button", className: "copy" }, "Copy");
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(code.textContent);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(code);
          button.textContent = "Selected";
        }
        setTimeout(() => (button.textContent = "Copy"), 1500);
      });
      box.append(button);
    }
  };
  enhance();
  addEventListener("vigil:changed", enhance);

  // A link to a finding opens it, even where a filter hid it.
  const reveal = () => {
    let id = location.hash.slice(1);
    try {
      id = decodeURIComponent(id);
    } catch {
      // Not an encoded name: take it as it is.
    }
    const target = id && document.getElementById(id);
    if (target && target.matches("details.finding")) {
      target.hidden = false;
      target.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);
  reveal();

  // Paper cannot be clicked: print everything, then restore.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
  });
})();
