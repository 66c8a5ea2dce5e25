// button[data-print]: the page on paper.
(() => {
  document.addEventListener("click", event => { if (event.target.closest("[data-print]")) print() })
})()
