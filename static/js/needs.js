// data-needs="script|speech|screen": what only works with it stays hidden until the browser is known to have it.
(() => {
  const HAS = { script: true, speech: "speechSynthesis" in window, screen: document.fullscreenEnabled }
  const show = () => document.querySelectorAll("[data-needs]").forEach(part => { part.hidden = !HAS[part.dataset.needs] })
  document.addEventListener("htmx:after:swap", show)
  show()
})()
