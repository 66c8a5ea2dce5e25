// data-conceal="seconds": what is shown once becomes its data-masked after so long, and whenever the page is left,
// so that neither a forgotten screen nor the way back shows it.
(() => {
  const waiting = new WeakSet()

  function conceal(place) {
    if (!place.hasAttribute("data-conceal")) return
    place.textContent = place.dataset.masked
    place.removeAttribute("data-conceal")
  }

  const all = () => document.querySelectorAll("[data-conceal]")

  function begin() {
    all().forEach(place => {
      if (waiting.has(place)) return
      waiting.add(place)
      setTimeout(conceal, Number(place.dataset.conceal) * 1000, place)
    })
  }

  begin()
  document.addEventListener("htmx:after:swap", begin)
  addEventListener("pagehide", () => all().forEach(conceal))
  addEventListener("pageshow", event => { if (event.persisted) all().forEach(conceal) })
})()
