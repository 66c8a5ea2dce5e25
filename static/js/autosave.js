// form[data-autosave="address"]: what is typed is posted as a draft 1.5 s after the last key, and when the page is left.
// The answer is 204, and says in X-Version on top of which version the next one goes; 409 when nothing may be written
// any more.
// Nothing is kept in this browser.
(() => {
  const PAUSE = 1500, AGAIN = 10000 // milliseconds
  const forms = new WeakMap()

  const say = (form, text) => form.querySelectorAll("[data-autosave-state]").forEach(place => { place.textContent = text })

  async function save(form, leaving) {
    const state = forms.get(form)
    if (!state?.changed || state.stopped || (state.saving && !leaving)) return
    clearTimeout(state.timer)
    state.changed = false
    state.saving = true
    say(form, "正在保存……")
    const body = new URLSearchParams()
    for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value)
    const answer = await fetch(form.dataset.autosave, { method: "POST", body, keepalive: Boolean(leaving), headers: { "HX-Request": "true", "X-Draft": "1" } }).catch(() => null)
    state.saving = false
    if (answer?.ok && !answer.redirected) {
      const version = answer.headers.get("X-Version")
      if (version) form.elements.version.value = version
      say(form, "已保存草稿")
      if (state.changed) wait(form)
    } else if (answer?.status === 409) {
      state.stopped = true
      const button = form.querySelector("button:not([type=button])")
      say(form, `草稿没有存上。您写的还在这一页，请点“${button.textContent.trim()}”看原因`)
    } else if (answer && answer.status < 500) {
      say(form, answer.status === 401 || answer.redirected ? "登录已过期，草稿还没有保存。请在另一个窗口登录后接着写" : "草稿没有保存，请检查填写的内容")
    } else {
      state.changed = true
      say(form, "网络不通，草稿还没有保存，会自动再试")
      state.timer = setTimeout(save, AGAIN, form)
    }
  }

  function wait(form) {
    const state = forms.get(form)
    clearTimeout(state.timer)
    state.timer = setTimeout(save, PAUSE, form)
  }

  document.addEventListener("input", event => {
    const form = event.target.form
    if (!form?.dataset.autosave) return
    if (!forms.has(form)) forms.set(form, {})
    forms.get(form).changed = true
    wait(form)
  })

  document.addEventListener("submit", event => {
    const state = forms.get(event.target)
    if (state) { clearTimeout(state.timer); state.changed = false }
  })

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) [...document.forms].forEach(form => save(form, true))
  })
})()
