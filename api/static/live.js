// SPDX-License-Identifier: Apache-2.0
// Refreshes the parts of a page that are marked data-live until they say that nothing more comes.
"use strict";
for (const part of document.querySelectorAll("[data-live]")) {
  const follow = async () => {
    if (part.querySelector("[data-final]")) return;
    try {
      const answer = await fetch(part.dataset.live, { credentials: "same-origin" });
      if (answer.ok && !answer.redirected) {
        const text = await answer.text();
        if (text !== part.dataset.last) {
          part.dataset.last = text;
          const page = new DOMParser().parseFromString(text, "text/html");
          part.replaceChildren(...page.body.childNodes);
        }
      }
    } catch { /* the server is restarting: ask again */ }
    setTimeout(follow, 1000);
  };
  setTimeout(follow, 1000);
}
