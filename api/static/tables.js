// SPDX-License-Identifier: Apache-2.0
// Names each cell of a table by its column, so that a narrow window can show rows one below another
// (portal.css, `table.labelled`). The roles are said because such a display takes them away.
"use strict";
const label = (table) => {
  const columns = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
  table.classList.add("labelled");
  table.setAttribute("role", "table");
  for (const row of table.rows) {
    row.setAttribute("role", "row");
    [...row.cells].forEach((cell, at) => {
      cell.setAttribute("role", row.parentElement === table.tHead ? "columnheader" : "cell");
      if (row.parentElement !== table.tHead && row.cells.length === columns.length)
        cell.dataset.label = columns[at];
    });
  }
};
const labelAll = () => {
  for (const table of document.querySelectorAll("main table:not(.labelled, .document table)"))
    if (table.tHead) label(table);
};
labelAll();
new MutationObserver(labelAll).observe(document.body, { childList: true, subtree: true });
