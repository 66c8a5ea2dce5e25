// data-needs="script|speech|screen|print": what only works with it stays hidden until the browser is known to have it.
(() => {
  const HAS = { script: true, speech: "speechSynthesis" in window, screen: document.fullscreenEnabled, print: "print" in window }
  const show = () => document.querySelectorAll("[data-needs]").forEach(part => { part.hidden = !HAS[part.dataset.needs] })
  document.addEventListener("htmx:after:swap", show)
  show()
})()
