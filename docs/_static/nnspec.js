// What scrolls sideways can be reached and scrolled with the keyboard.
addEventListener("load", () => {
  for (const wide of document.querySelectorAll("article pre, .table-wrapper"))
    if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
});
