// One of a few states: the tapped button looks chosen at once; what the server answers decides.
(() => {
  document.addEventListener("submit", event => {
    const group = event.submitter?.closest("[data-press]")
    if (!group) return
    group.querySelectorAll("[aria-pressed]").forEach(button => button.setAttribute("aria-pressed", button === event.submitter))
  }, true)

  document.addEventListener("htmx:response:error", event => {
    const piece = event.detail.ctx.sourceElement?.closest?.("[data-live]")
    if (piece) document.dispatchEvent(new CustomEvent("refresh", { detail: piece }))
  })
})()
