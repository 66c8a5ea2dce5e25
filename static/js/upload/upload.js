// fieldset[data-upload="/uploads"]: chosen files travel at once, in pieces, while the form is typed in; photographs are
// made smaller on the phone where it can; a lost connection is waited for, and the same file chosen again goes on where
// it was. What has come stands in the form as a word, in an order that can be changed. Nothing is kept in this browser.
(() => {
  if (window.uploadsReady) return
  window.uploadsReady = true
  const PIECE = 256 * 1024, SIDE = 2400, LIGHT = 900 * 1024, AGAIN = [1000, 2000, 4000, 8000, 15000] // bytes, pixels, bytes, milliseconds
  const running = new WeakMap() // fieldset → its queue
  const pause = ms => new Promise(done => { setTimeout(done, ms); addEventListener("online", done, { once: true }) })
  const words = size => size >= 1e6 ? (size / 1e6).toFixed(1) + " MB" : Math.max(1, Math.floor(size / 1000)) + " KB"

  // The line that stands for a file while it travels, as the page has it ready.
  function line(box, file) {
    const item = box.querySelector("[data-upload-line]").content.firstElementChild.cloneNode(true)
    const bar = item.querySelector("progress"), state = item.querySelector("[data-upload-state]")
    item.querySelector(".upload__name").textContent = file.name
    state.textContent = "等待上传"
    item.querySelector("[data-upload-up]").setAttribute("aria-label", "往前移：" + file.name)
    bar.setAttribute("aria-label", "上传进度：" + file.name)
    const job = { file, item, bar, state, gone: false, done: false, failed: false, again: 0 }
    item.querySelector("[data-upload-stop]").addEventListener("click", () => {
      if (job.id) fetch(`${box.dataset.upload}/${job.id}/removal`, { method: "POST" }).catch(() => null)
      forget(box, job)
    })
    box.querySelector("[data-upload-list]").append(item)
    return job
  }

  // A smaller picture, upright and without its metadata; the file itself where the browser can't open it (HEIC).
  async function lighter(file) {
    if (!/^image\/(jpeg|png|webp)$/.test(file.type) || !window.createImageBitmap) return file
    let picture
    try { picture = await createImageBitmap(file, { imageOrientation: "from-image" }) } catch { return file }
    const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height))
    if (scale === 1 && file.size <= LIGHT) return file
    const sheet = document.createElement("canvas")
    sheet.width = Math.round(picture.width * scale)
    sheet.height = Math.round(picture.height * scale)
    const pen = sheet.getContext("2d")
    pen.fillStyle = "#fff"
    pen.fillRect(0, 0, sheet.width, sheet.height)
    pen.imageSmoothingQuality = "high"
    pen.drawImage(picture, 0, 0, sheet.width, sheet.height)
    picture.close()
    const made = await new Promise(done => sheet.toBlob(done, "image/jpeg", 0.86))
    return made && made.size < file.size ? made : file
  }

  // One request, again and again until there is an answer; null when the file was taken out meanwhile.
  async function ask(job, address, options) {
    while (!job.gone) {
      const answer = await fetch(address, { method: "POST", ...options }).catch(() => null)
      if (answer && answer.status < 500 && answer.status !== 429) {
        job.again = 0
        return answer
      }
      job.state.textContent = "网络不通，恢复后会接着传"
      await pause(AGAIN[Math.min(job.again++, AGAIN.length - 1)])
    }
    return null
  }

  async function send(box, job) {
    job.state.textContent = "正在准备……"
    const content = await lighter(job.file), root = box.dataset.upload
    const told = new URLSearchParams({ place: box.dataset.place, about: box.dataset.about, name: job.file.name, size: content.size,
      mark: `${job.file.lastModified}-${job.file.size}` })
    let answer = await ask(job, root, { body: told })
    if (!answer?.ok) return fail(job, answer)
    let at = await answer.json()
    job.id = at.id
    for (let tries = 0; !at.done && at.pieces < at.of; tries++) {
      const from = at.pieces * PIECE
      show(job, Math.floor(from / content.size * 100))
      answer = await ask(job, `${root}/${job.id}/pieces/${at.pieces}`, { body: content.slice(from, from + PIECE), headers: { "Content-Type": "application/octet-stream" } })
      if (!answer || (!answer.ok && answer.status !== 409) || tries > 9999) return fail(job, answer)
      at = await answer.json()
    }
    show(job, 100)
    job.state.textContent = "正在检查……"
    answer = await ask(job, `${root}/${job.id}/check`)
    if (!answer?.ok) return fail(job, answer)
    at = await answer.json()
    if (!job.gone) finish(box, job, content, at)
  }

  function forget(box, job) {
    job.gone = true
    job.item.remove()
    tell(box)
  }

  function show(job, share) {
    job.bar.value = share
    job.state.textContent = `已上传 ${share}%`
  }

  function finish(box, job, content, at) {
    const value = "u" + at.id, word = document.createElement("input")
    if (box.querySelector(`input[type=hidden][value="${value}"]`)) return forget(box, job) // the same file again is one
    word.type = "hidden"
    word.name = box.dataset.place
    word.value = value
    job.item.prepend(word)
    job.bar.remove()
    job.done = true
    job.state.textContent = at.blurred ? "可能看不清，建议重拍一张；不影响提交" : `已上传 · ${words(content.size)}`
    job.item.classList.toggle("upload__one--blurred", at.blurred)
    job.item.classList.add("upload__one--done")
    if (/^image\//.test(job.file.type) || /\.(heic|heif|jpe?g|png|webp)$/i.test(job.file.name)) {
      const small = document.createElement("img")
      small.className = "upload__small"
      small.src = `${box.dataset.upload}/${at.id}/file?small`
      small.width = small.height = 72
      small.alt = ""
      job.item.querySelector(".upload__look").replaceChildren(small)
    }
  }

  async function fail(job, answer) {
    if (job.gone) return
    job.failed = true
    job.bar.remove()
    job.item.classList.add("upload__one--failed")
    const told = answer?.headers.get("content-type")?.startsWith("application/json") ? (await answer.json()).fault : null
    job.state.textContent = told || (answer?.status === 401 ? "登录已过期，请在另一个窗口登录后再选一次" : answer?.status === 403 ? "您现在的身份不能上传到这里" : "没有传上去，请去掉后再选一次")
  }

  const jobs = box => running.get(box)?.jobs.filter(job => !job.gone) || []

  function tell(box) {
    const going = jobs(box).filter(job => !job.done && !job.failed).length
    box.querySelector("[data-upload-told]").textContent = going ? `还有 ${going} 个正在上传，可以先填写别的内容` : ""
    return going
  }

  async function work(box) {
    const queue = running.get(box)
    if (queue.busy) return
    queue.busy = true
    for (let job; (job = queue.jobs.find(one => !one.begun && !one.gone));) {
      job.begun = true
      await send(box, job).catch(() => fail(job, null))
      tell(box)
    }
    queue.busy = false
    const form = box.closest("form")
    if (form?.dataset.uploadThenSubmit !== undefined && ![...form.querySelectorAll("[data-upload]")].some(tell)) {
      delete form.dataset.uploadThenSubmit
      if (![...form.querySelectorAll("[data-upload]")].some(one => jobs(one).some(job => job.failed))) form.requestSubmit()
    }
  }

  function take(box, files) {
    if (!running.has(box)) running.set(box, { jobs: [], busy: false })
    box.classList.add("upload--script")
    const queue = running.get(box)
    for (const file of files) {
      for (const item of box.querySelectorAll("[data-upload-file]")) { // begun before: this is where it goes on
        if (item.querySelector(".upload__name").textContent === file.name && !item.querySelector(".upload__small") && item.querySelector("[data-upload-state]")?.textContent.includes("再选一次")) item.remove()
      }
      queue.jobs.push(line(box, file))
    }
    tell(box)
    work(box)
  }

  document.addEventListener("change", event => {
    const box = event.target.type === "file" && event.target.closest("[data-upload]")
    if (!box || !event.target.files.length) return
    take(box, [...event.target.files])
    event.target.value = "" // they travel by themselves, not with the form
  })

  document.addEventListener("click", event => {
    const item = event.target.closest("[data-upload-up]")?.closest("[data-upload-file]")
    if (!item?.previousElementSibling) return
    item.after(item.previousElementSibling)
    item.querySelector("[data-upload-up]").focus()
  })

  // A form whose files are still on their way is sent when they have arrived.
  addEventListener("submit", event => {
    const boxes = [...event.target.querySelectorAll("[data-upload]")]
    const going = boxes.some(tell), failed = boxes.flatMap(jobs).find(job => job.failed)
    if (!going && !failed) return
    event.preventDefault()
    event.stopImmediatePropagation()
    const place = going ? boxes.find(tell).querySelector("[data-upload-told]") : failed.item.querySelector(".upload__state")
    if (going) {
      event.target.dataset.uploadThenSubmit = ""
      place.textContent = "还在上传，传完就会自动提交"
    } else if (!place.textContent.includes("去掉后")) place.textContent += "。请先去掉它，再提交"
    place.scrollIntoView({ block: "center" })
  }, true)
})()
