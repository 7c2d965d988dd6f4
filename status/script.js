// Without this the page is whole. With it, moments are in the reader's time zone, and the page stays current.
(() => {
  const EVERY = 5000;
  const { lang } = document.documentElement;
  // The reader's way to write a time, in the page's language.
  const locale = navigator.languages.find((one) => one.startsWith(lang.slice(0, 2))) ?? lang;
  const pause = document.getElementById("pause");
  let paused = false;

  function localise(root) {
    for (const element of root.querySelectorAll("[data-ms]")) {
      const moment = new Date(Number(element.dataset.ms));
      element.textContent = moment.toLocaleTimeString(locale);
      element.title = moment.toLocaleString(locale, { dateStyle: "full", timeStyle: "long" });
    }
  }

  // What is open stays open, and what has the focus is left alone.
  function replace(current, next) {
    if (current.contains(document.activeElement)) return;
    const open = [...current.querySelectorAll("details")].map((details) => details.open);
    next.querySelectorAll("details").forEach((details, index) => {
      details.open = open[index] ?? false;
    });
    localise(next);
    current.replaceWith(next);
  }

  async function refresh() {
    if (paused || document.hidden) return;
    const response = await fetch(location.href, { cache: "no-store", headers: { accept: "text/html" } });
    if (response.status === 401) {
      location.reload();
      return;
    }
    if (!response.ok) return;
    const next = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const current of document.querySelectorAll("#as-of, main > section")) {
      const replacement = next.getElementById(current.id);
      if (replacement !== null) replace(current, document.adoptNode(replacement));
    }
  }

  localise(document);
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    [pause.textContent, pause.dataset.other] = [pause.dataset.other, pause.textContent];
  });
  // A refresh that fails is tried again in its turn.
  setInterval(() => refresh().catch(() => {}), EVERY);
})();
