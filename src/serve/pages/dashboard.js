// Keys, saved queries, and nothing that a page needs: all of it works without this.
(() => {
  const make = (tag, props, ...children) => {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...children);
    return node;
  };

  // Keys. A list is walked with j and k; g and a letter leads to a place.
  const items = [...document.querySelectorAll("[data-item]")];
  const linkOf = (item) => (item.matches("a") ? item : item.querySelector("a"));
  let at = -1;
  const walk = (step) => {
    if (!items.length) return false;
    items[at]?.classList.remove("at");
    at = Math.min(items.length - 1, Math.max(0, at + step));
    items[at].classList.add("at");
    items[at].scrollIntoView({ block: "nearest" });
    linkOf(items[at])?.focus({ preventScroll: true });
    return true;
  };
  const keyed = (key, within) => document.querySelector(`${within} [data-key="${CSS.escape(key)}"]`);
  const help = make("dialog", {});
  help.setAttribute("aria-label", "Keys");
  const keys = [
    ["j, k", "next and previous"],
    ["Enter", "open"],
    ["/", "to the search field"],
    ["a, e, x", "acknowledge, escalate, archive a finding"],
    ["g, then a letter", "o overview, f findings, h hosts, l flows, s SQL, r rules, g logs, p report"],
    ["?", "these keys"],
  ];
  const lines = keys.map(([key, says]) => make("div", {}, make("dt", {}, make("kbd", {}, key)), make("dd", {}, says)));
  const close = make("button", { type: "button" }, "Close");
  close.addEventListener("click", () => help.close());
  help.append(make("h2", {}, "Keys"), make("dl", {}, ...lines), close);
  document.body.append(help);

  let going = 0;
  addEventListener("keydown", (event) => {
    const field = event.target.closest?.("input, textarea, select");
    if (field && event.key === "Enter" && (event.ctrlKey || event.metaKey)) return void field.form?.requestSubmit();
    if (field && event.key === "Escape") return void field.blur();
    if (field || event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    const goes = going > Date.now();
    going = 0;
    let done = true;
    const place = goes ? keyed(event.key, "nav") : null;
    if (place) place.click();
    else if (event.key === "g") going = Date.now() + 1500;
    else if (event.key === "?") help.showModal();
    else if (event.key === "/") document.querySelector("[data-search]")?.focus();
    else if (event.key === "j" || event.key === "k") done = walk(event.key === "j" ? 1 : -1) || !!keyed(event.key, ".crumbs")?.click();
    else if (keyed(event.key, ".triage")) keyed(event.key, ".triage").click();
    else done = false;
    if (done) event.preventDefault();
  });

  // Saved queries stay in this browser.
  const list = document.querySelector("[data-saved]");
  const query = document.getElementById("query");
  const slot = document.querySelector("[data-save]");
  if (list && query && slot) {
    const store = "vigil.queries";
    let saved = [];
    try {
      const read = JSON.parse(localStorage.getItem(store) ?? "[]");
      if (Array.isArray(read)) saved = read.filter((one) => typeof one?.name === "string" && typeof one?.query === "string");
    } catch {
      // Storage is closed or holds something else: begin anew.
    }
    const show = () => {
      for (const old of list.querySelectorAll("[data-own]")) old.remove();
      for (const one of saved) {
        const link = make("a", { href: "/sql?query=" + encodeURIComponent(one.query) }, one.name);
        const forget = make("button", { type: "button", ariaLabel: `Forget ${one.name}` }, "Forget");
        forget.addEventListener("click", () => keep(saved.filter((other) => other !== one)));
        const item = make("li", {}, link, forget);
        item.dataset.own = "";
        list.append(item);
      }
    };
    const keep = (next) => {
      saved = next;
      try {
        localStorage.setItem(store, JSON.stringify(saved));
      } catch {
        // They last as long as the page then.
      }
      show();
    };
    const name = make("input", { placeholder: "name", maxLength: 80 });
    name.setAttribute("aria-label", "Name to save the query under");
    const button = make("button", { type: "button" }, "Save");
    const save = () => {
      const called = name.value.trim();
      if (!called || !query.value.trim()) return name.focus();
      keep([...saved.filter((one) => one.name !== called), { name: called, query: query.value }]);
      name.value = "";
      list.closest("details").open = true;
    };
    button.addEventListener("click", save);
    name.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      save();
    });
    slot.append(name, " ", button);
    show();
    if (!location.hash && !document.querySelector("#answer *")) query.focus();
  }
})();
