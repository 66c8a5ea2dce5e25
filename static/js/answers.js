// Answers that are not simply swapped in: another page, a lost session, a failure. Plain words in one place.
(() => {
  const WORDS = {
    401: "登录已过期，请重新登录", 403: "您现在的身份不能办这件事", 413: "内容太大了，请缩短或换一张小些的照片",
  }
  const toast = document.getElementById("toast")
  let hiding, kept // kept: where a form that came too late goes on; what is said later does not hide that

  function say(text, signIn, onwards) {
    if (!toast || kept && !onwards) return
    kept = onwards
    toast.querySelector("[data-toast-text]").textContent = text
    const go = toast.querySelector("[data-toast-go]")
    go.hidden = !signIn
    go.href = onwards || "/sign-in?next=" + encodeURIComponent(location.pathname + location.search)
    toast.hidden = false
    clearTimeout(hiding)
    if (!signIn) hiding = setTimeout(() => { toast.hidden = true }, 6000)
  }

  document.addEventListener("toast", event => say(event.detail.text, event.detail.signIn))

  document.addEventListener("htmx:before:response", event => {
    const answer = event.detail.ctx.response.raw
    if (!answer.redirected || new URL(answer.url).pathname === location.pathname) return
    event.preventDefault() // the action led to another page: go there, rather than show it under this address
    event.detail.ctx.keepIndicators = true // as htmx has it while a page is being left: the form is not free again
    location.assign(answer.url)
  })

  document.addEventListener("htmx:response:error", event => {
    const { status, raw } = event.detail.ctx.response
    const onwards = raw.headers.get("X-Onwards") // a form that came too late was kept, and goes on there
    if (onwards) say("要重新登录。填的内容替您留着，登录后接着办", true, onwards)
    else if (![404, 409, 410, 422, 429].includes(status)) say(WORDS[status] || "系统忙，没有办成，请稍后再试", status === 401)
  })

  document.addEventListener("htmx:error", event => {
    if (event.detail.ctx) say("网络不通，没有办成，请稍后再试一次")
  })

  document.addEventListener("htmx:after:swap", event => {
    if (event.detail.ctx.response?.status !== 422) return
    const wrong = document.querySelector("[aria-invalid=true], [role=alert]")
    wrong?.scrollIntoView({ block: "center" })
    const control = wrong?.matches("fieldset") ? wrong.querySelector("input") : wrong
    control?.focus({ preventScroll: true })
  })
})()
