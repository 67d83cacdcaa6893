
'use strict'
// Without this script the form works as well, and the browser shows what the store answers.
// A field may have any name, that of a method too: nothing is asked of the form itself.
const find = (id) => document.querySelector(`#${id}`)
const form = document.querySelector('form')
const file = find('file')
const send = document.querySelector('form button')
const { url, mode } = document.querySelector('main').dataset
const time = document.querySelector('time')
time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: 'long', timeStyle: 'short' })

function size (bytes) {
  for (const [unitBytes, unit] of [[1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']]) {
    if (bytes >= unitBytes) return `${Math.round(bytes / unitBytes * 10) / 10} ${unit}`
  }
  return `${bytes} bytes`
}

// Text only: a file's name and the store's answer may hold anything.
function say (done, error) {
  find('done').textContent = done
  find('error').textContent = error
}

// The store's reason in words; S3's own code stays beside it, for whoever made the form.
function reason (request) {
  const root = new DOMParser().parseFromString(request.responseText, 'application/xml')
  const text = (name) => root.querySelector(name)?.textContent ?? ''
  const code = text('Code')
  if (!code) return `The store refused the file (status ${request.status}).`
  if (text('Message').endsWith('Policy expired.')) {
    return `This form has ended: ask for another one. (${code})`
  }
  if (code === 'EntityTooLarge') {
    return `The file is too large: at most ${size(Number(text('MaxSizeAllowed')))} may be uploaded here. (${code})`
  }
  if (code === 'EntityTooSmall') {
    return `The file is too small: at least ${size(Number(text('MinSizeAllowed')))} are wanted here. (${code})`
  }
  return `${text('Message')} (${code})`
}

function show (loaded, total) {
  find('progress').value = loaded / total
  find('amount').textContent = `${size(loaded)} of ${size(total)}`
}

function end (done, error) {
  find('upload').hidden = true
  send.disabled = file.disabled = false
  say(done, error)
}

function upload () {
  const request = new XMLHttpRequest()
  const name = file.files[0].name
  let hasBegun = false
  request.upload.onprogress = (event) => {
    hasBegun = true
    show(event.loaded, event.total)
  }
  request.onload = () => {
    if (request.status < 200 || request.status > 299) return end('', reason(request))
    end(`Uploaded: ${name}`, '')
    file.value = ''
  }
  request.onabort = () => end('', 'Cancelled. Nothing was kept.')
  request.onerror = () => {
    if (hasBegun) return end('', 'The connection broke off. Try again.')
    // The store may not answer pages of other origins (CORS): then the browser sends the form by itself.
    end('', '')
    HTMLFormElement.prototype.submit.call(form)
  }
  find('cancel').onclick = () => request.abort()
  request.open('POST', url)
  request.send(new FormData(form))
  send.disabled = file.disabled = true
  say('', '')
  show(0, file.files[0].size || 1)
  find('upload').hidden = false
}

document.addEventListener('submit', (event) => {
  // Where the store sends the browser on to another page, the browser has to be there.
  if (mode === 'navigate') return
  event.preventDefault()
  upload()
})
