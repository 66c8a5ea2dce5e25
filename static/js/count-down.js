// data-countdown="seconds" runs down in place; at nought the live piece around it is fetched again, every 3 s until it comes.
(() => {
  const TRY_AGAIN = 3
  setInterval(() => {
    document.querySelectorAll("[data-countdown]").forEach(place => {
      const left = Number(place.dataset.countdown) - 1
      place.dataset.countdown = left
      place.textContent = Math.max(left, 0)
      const piece = place.closest("[data-live]")
      if (piece && left <= 0 && left % TRY_AGAIN === 0) document.dispatchEvent(new CustomEvent("refresh", { detail: piece }))
    })
  }, 1000)
})()
