// A form that is on its way is not sent a second time; the button says so.
(() => {
  const GIVE_UP = 15000 // milliseconds; a connection that hangs may be tried again
  let sent = new WeakSet()

  function free(form) {
    sent.delete(form)
    form.querySelectorAll("[aria-busy]").forEach(button => button.removeAttribute("aria-busy"))
  }

  document.addEventListener("submit", event => {
    const form = event.target
    if (sent.has(form)) {
      event.preventDefault()
      event.stopImmediatePropagation()
      return
    }
    sent.add(form)
    event.submitter?.setAttribute("aria-busy", "true")
    setTimeout(free, GIVE_UP, form)
  }, true)

  document.addEventListener("htmx:finally:request", event => {
    const { request: { form }, keepIndicators: leaving } = event.detail.ctx
    if (form && !leaving) free(form)
  })

  addEventListener("pageshow", event => {
    if (event.persisted) [...document.forms].forEach(free)
  })
})()
