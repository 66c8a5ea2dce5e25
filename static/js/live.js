// Live pages. One connection for all of a person's tabs tells which topics changed; every piece marked
// data-live="topic …" then fetches its data-live-src again and takes from the answer what bears its id.
(() => {
  const GATHER = 40, SPREAD = 260, POLL = 10000, RETRY = 30000, AWAY = 3000 // milliseconds
  const EVERYTHING = "*"
  const stream = document.querySelector("[data-live-stream]")?.dataset.liveStream || "/live"
  const pieces = () => [...document.querySelectorAll("[data-live]")]
  if (!pieces().length) return

  const channel = window.BroadcastChannel && new BroadcastChannel(stream)
  const waiting = new Set()
  let gathering, source, polling, retrying, missed, leading, release, candidacy, leftAt = 0

  const isTypedIn = piece => document.activeElement?.matches("textarea, select, input:not([type=checkbox], [type=radio])") && piece.contains(document.activeElement)

  async function renew(address, some) {
    const answer = await fetch(address, { headers: { "HX-Request": "true", "X-Passive": "1" } }).catch(() => null)
    if (answer?.status === 401 || (answer?.redirected && new URL(answer.url).pathname === "/sign-in")) return signedOut()
    if (!answer?.ok || answer.redirected) return
    const page = new DOMParser().parseFromString(await answer.text(), "text/html")
    for (const piece of some) {
      const fresh = page.getElementById(piece.id)
      if (!fresh || !piece.isConnected) continue
      if (isTypedIn(piece)) { piece.addEventListener("focusout", () => setTimeout(notice, 0, piece), { once: true }); continue }
      const opened = [...piece.querySelectorAll("details")].map(details => details.open)
      fresh.querySelectorAll("details").forEach((details, at) => { details.open ||= opened[at] })
      htmx.swap({ target: piece, sourceElement: piece, text: fresh.outerHTML, swap: "outerMorph" })
    }
  }

  function signedOut() {
    leave()
    leading = true // stays silent until the page is loaded again
    document.dispatchEvent(new CustomEvent("toast", { detail: { text: "登录已过期", signIn: true } }))
  }

  function notice(piece) {
    waiting.add(piece)
    gathering ??= setTimeout(() => {
      gathering = null
      const bySource = {}
      for (const one of waiting) if (one.isConnected) (bySource[one.dataset.liveSrc || location.href] ||= []).push(one)
      waiting.clear()
      for (const address in bySource) renew(address, bySource[address])
    }, GATHER + Math.random() * SPREAD)
  }

  function hear(topic) {
    for (const piece of pieces()) if (topic === EVERYTHING || piece.dataset.live.split(" ").includes(topic)) notice(piece)
  }

  function tell(topic) {
    channel?.postMessage(topic)
    hear(topic)
  }

  function connect() {
    source = new EventSource(stream)
    source.onopen = () => {
      clearInterval(polling)
      polling = null
      if (missed) tell(EVERYTHING)
      missed = false
    }
    source.addEventListener("changed", event => tell(event.data))
    source.onerror = () => {
      missed = true
      polling ??= setInterval(tell, POLL, EVERYTHING)
      if (source.readyState === EventSource.CLOSED) retrying = setTimeout(connect, RETRY)
    }
  }

  // The tab that holds the lock is the one connected; tabs out of sight let go of it.
  function join() {
    if (leading || document.hidden) return
    leading = true
    if (!navigator.locks) return connect()
    candidacy = new AbortController()
    navigator.locks.request(stream, { signal: candidacy.signal }, () => {
      connect()
      return new Promise(resolve => { release = resolve })
    }).catch(() => {})
  }

  function leave() {
    leading = false
    candidacy?.abort()
    source?.close()
    clearInterval(polling)
    clearTimeout(retrying)
    polling = null
    release?.()
    leftAt = Date.now()
  }

  channel?.addEventListener("message", event => hear(event.data))
  document.addEventListener("refresh", event => notice(event.detail))
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return leave()
    join()
    if (Date.now() - leftAt > AWAY) hear(EVERYTHING)
  })
  addEventListener("pagehide", leave)
  addEventListener("pageshow", event => {
    join()
    if (event.persisted) hear(EVERYTHING)
  })
})()
