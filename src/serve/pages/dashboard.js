// Keys, saved queries, and nothing that a page needs: all of it works without this.
(() => {
  const make = (tag, props, ...children) => {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...children);
    return node;
  };

  const base = document.documentElement.dataset.base;

  // Keys. A list is walked with j and k; g and a letter leads to a place.
  let items = [...document.querySelectorAll("[data-item]")];
  const linkOf = (item) => (item.matches("a") ? item : item.querySelector("a"));
  let at = -1;
  addEventListener("vigil:changed", () => {
    items = [...document.querySelectorAll("[data-item]")];
    at = Math.min(at, items.length - 1);
    items[at]?.classList.add("at");
    // What had the focus is gone; what took its place has it now.
    if (at >= 0 && document.activeElement === document.body) linkOf(items[at])?.focus({ preventScroll: true });
  });
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
    ["g, then a letter", "o overview, f findings, i incidents, h hosts, l flows, s SQL, r rules, g logs, p report, c cases"],
    ["?", "these keys"],
  ];
  const lines = keys.map(([key, says]) => make("div", {}, make("dt", {}, make("kbd", {}, key)), make("dd", {}, says)));
  const close = make("button", { type: "button" }, "Close");
  close.addEventListener("click", () => help.close());
  help.append(make("h2", {}, "Keys"), make("dl", {}, ...lines), close);
  document.body.append(help);

  // In the inbox, of the finding that is at hand.
  const verbs = { a: "acknowledge", e: "escalate", x: "archive" };
  const triage = async (id, verb) => {
    const answer = await fetch(`${base}/api/v1/findings/${encodeURIComponent(id)}/triage`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ verb }),
    }).catch(() => null);
    if (answer?.ok) return renew();
    const why = await answer?.json().catch(() => null);
    toast([why?.error ?? "the server does not answer"], "sev-high");
  };

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
    else if (verbs[event.key] && items[at]?.dataset.finding) triage(items[at].dataset.finding, verbs[event.key]);
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
        const link = make("a", { href: base + "/sql?query=" + encodeURIComponent(one.query) }, one.name);
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

  // Live. The server tells what happens; the page is fetched again when there is more to see, unless somebody paused it or is typing.
  const number = new Intl.NumberFormat("en");
  const size = (bytes) => {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let unit = 0;
    while (bytes >= 1000 && unit < units.length - 1) [bytes, unit] = [bytes / 1000, unit + 1];
    return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
  };
  const keep = (name, value) => {
    try {
      if (value !== undefined) localStorage.setItem(name, value);
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const bar = document.querySelector("[data-pulse]");
  const said = make("span", { className: "pulse-says" });
  const pause = make("button", { type: "button" });
  const every = make("select", {});
  every.setAttribute("aria-label", "Refresh");
  for (const seconds of [1, 2, 5, 10, 30]) every.append(make("option", { value: seconds }, `every ${seconds} s`));
  every.value = keep("vigil.refresh") ?? "5";
  let paused = keep("vigil.paused") === "true";
  const showPause = () => {
    pause.textContent = paused ? "Go on" : "Pause";
    pause.setAttribute("aria-pressed", String(paused));
  };
  const controls = () => {
    if (!bar || pause.isConnected) return;
    showPause();
    bar.append(said, every, pause);
  };
  let stale = false;
  let fetched = Date.now();
  let fetching = false;
  const held = () => {
    const main = document.querySelector("main");
    const busy = main.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
    const written = [...main.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);
    return paused || busy || written || document.hidden || help.open;
  };
  const refresh = () => {
    if (stale && !held() && Date.now() - fetched >= Number(every.value) * 1000) renew(held);
  };
  // Whoever pauses, or begins to type, while the page is on its way keeps the one that is there.
  const renew = async (unwanted = () => false) => {
    if (fetching) return;
    const main = document.querySelector("main");
    [stale, fetching, fetched] = [false, true, Date.now()];
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) {
        stale = true;
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (unwanted()) {
        stale = true;
        return;
      }
      const next = page.querySelector("main");
      const open = new Set([...main.querySelectorAll("details[open][id]")].map((one) => one.id));
      for (const one of next.querySelectorAll("details[id]")) if (open.has(one.id)) one.open = true;
      main.replaceChildren(...next.childNodes);
      dispatchEvent(new Event("vigil:changed"));
    } catch {
      stale = true;
    } finally {
      fetching = false;
    }
  };
  pause.addEventListener("click", () => {
    paused = !paused;
    keep("vigil.paused", String(paused));
    showPause();
    refresh();
  });
  every.addEventListener("change", () => keep("vigil.refresh", every.value));
  setInterval(refresh, 500);

  // Short words at the edge of the page, read aloud as they come.
  const words = make("div", { className: "toasts", role: "status" });
  document.body.append(words);
  const toast = (content, grade, lasts = 12000) => {
    const one = make("p", { className: `toast ${grade}` }, ...content);
    words.append(one);
    while (words.children.length > 4) words.firstChild.remove();
    setTimeout(() => one.remove(), lasts);
  };

  const grades = ["critical", "high", "medium", "low", "info"];
  const on = {
    statistics(data) {
      if (data.frames_per_second === undefined) return;
      controls();
      const found = grades.filter((grade) => data.findings[grade]).map((grade) => `${data.findings[grade]} ${grade}`);
      const parts = [
        `${size(data.bytes_per_second ?? 0)}/s`,
        `${number.format(data.frames_per_second ?? 0)} packets/s`,
        `${number.format(data.open_flows)} flows open`,
        data.dropped ? `${number.format(data.dropped)} dropped` : "",
        found.join(", "),
      ];
      said.textContent = parts.filter(Boolean).join(" · ");
      bar.dataset.state = "live";
    },
    finding({ change, finding }) {
      stale = true;
      if (change === "withdrawn" || !["medium", "high", "critical"].includes(finding.severity)) return;
      const link = make("a", { href: `${base}/findings/${encodeURIComponent(finding.id)}` }, `${finding.id} ${finding.title}`);
      toast([change === "new" ? "New: " : "Again: ", link], `sev-${finding.severity}`);
    },
    case(data) {
      if (data.live) controls();
      if (known && known !== JSON.stringify(data)) stale = true;
      known = JSON.stringify(data);
    },
    triage() {
      stale = true;
    },
    trouble({ says }) {
      toast([says], "sev-medium");
    },
    analysis(data) {
      show(data);
    },
    missed() {
      stale = true;
    },
  };
  let known = "";
  if (bar) {
    const source = new EventSource(`${base}/api/v1/stream`);
    for (const [name, act] of Object.entries(on)) {
      source.addEventListener(name, (event) => act(JSON.parse(event.data)));
    }
    source.addEventListener("error", () => {
      if (bar.dataset.state === "live") [said.textContent, bar.dataset.state] = ["the server does not answer", "gone"];
    });
  }

  // Captures: dropped on any page, or chosen on that of the cases.
  const jobs = new Map();
  const show = (job) => {
    let box = jobs.get(job.id);
    if (!box) {
      box = make("div", { className: "job" });
      jobs.set(job.id, box);
      words.append(box);
    }
    const done = job.state === "done";
    const bytes = job.bytes_total ? ` ${Math.floor((100 * job.bytes) / job.bytes_total)} %` : "";
    const stage = job.state === "analysing" && job.stage && job.stage !== "reading" ? job.stage : job.state;
    const line = make("p", {}, make("strong", {}, job.name), ` ${stage}${done || job.state === "failed" ? "" : bytes}`);
    const progress = make("progress", { max: 1 });
    if (stage === "receiving" || stage === "analysing") progress.value = job.bytes_total ? job.bytes / job.bytes_total : 0;
    progress.setAttribute("aria-label", job.name);
    box.replaceChildren(line);
    if (done) box.append(make("p", {}, make("a", { href: `/cases/${encodeURIComponent(job.case)}/` }, "Open the case")));
    else if (job.state === "failed") box.append(make("p", { className: "wrong" }, job.why ?? "it failed"));
    else box.append(progress);
    if (done || job.state === "failed") {
      const close = make("button", { type: "button", ariaLabel: `Dismiss ${job.name}` }, "Dismiss");
      close.addEventListener("click", () => box.remove());
      box.append(close);
      stale = location.pathname === "/cases";
    }
  };
  const send = async (file) => {
    const answer = await fetch(`/api/v1/captures?name=${encodeURIComponent(file.name)}`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: file,
    }).catch(() => null);
    if (answer?.ok) return show(await answer.json());
    const why = await answer?.json().catch(() => null);
    toast([`${file.name}: ${why?.error ?? "the server does not answer"}`], "sev-high");
  };
  const holds = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragover", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    if (!holds(event)) return;
    event.preventDefault();
    for (const file of event.dataTransfer.files) send(file);
  });
  document.querySelector("form[data-capture]")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const field = event.target.elements.capture;
    for (const file of field.files) send(file);
    event.target.reset();
  });
})();
