// What pages do beyond HTML: parts that follow what happens (server-sent events), the key "/", copying a text.
"use strict";

// <div data-live="/console/…/live">: each event brings the part's HTML anew. It is made by the server's own templates,
// which escape; what is open or focused in it is kept by taking over only what has changed as a whole.
for (const part of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(part.dataset.live);
  source.addEventListener("part", (event) => {
    if (!part.contains(document.activeElement) || document.activeElement === part) part.innerHTML = event.data;
  });
  source.addEventListener("end", () => {
    source.close();
    if (part.dataset.then) location.assign(part.dataset.then);
  });
  // The browser opens a stream anew by itself, unless it was refused: the session has ended, and the page says so.
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) location.reload();
  });
}

// A table that is wider than its place is scrolled by the keyboard, too.
function scrollByKeyboard() {
  for (const place of document.querySelectorAll(".scroll")) {
    if (place.scrollWidth <= place.clientWidth) continue;
    place.tabIndex = 0;
    place.setAttribute("role", "region");
    place.setAttribute("aria-label", place.querySelector("caption")?.textContent ?? "");
  }
}
scrollByKeyboard();

document.addEventListener("keydown", (event) => {
  const inField = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
  if (event.key === "/" && !inField && !event.ctrlKey && !event.metaKey) {
    const field = document.querySelector("#find");
    if (field) { event.preventDefault(); field.focus(); field.select(); }
  }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy)?.textContent ?? "";
  await navigator.clipboard?.writeText(text.trim());
  button.textContent = button.dataset.copied;
});

// A form is sent without leaving its page, so that nothing typed is lost: an error is told in the form itself, a page that
// is the answer takes the place of this one, and where the server sends the browser elsewhere, it goes there.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || !form.elements.csrf) return;
  event.preventDefault();
  form.querySelector("#error")?.remove();
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  const fields = new FormData(form);
  const body = form.enctype === "multipart/form-data" ? fields : new URLSearchParams(fields);
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body });
  } catch {
    form.submit();  // the browser says what is the matter with the line
    return;
  }
  if (answer.redirected) { location.assign(answer.url); return; }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const error = page.querySelector("#error");
  if (error) {
    error.className = "note bad";
    error.setAttribute("role", "alert");
    form.prepend(error);
    for (const button of buttons) button.disabled = false;
    error.scrollIntoView({ block: "nearest" });
    return;
  }
  document.title = page.title;
  document.querySelector("main").replaceWith(page.querySelector("main"));
  scrollByKeyboard();
  scrollTo(0, 0);
});
