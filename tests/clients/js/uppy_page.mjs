// What a page does with Uppy: one file, in one of the ways that a test asks for, and what came of it.

// The page's own back end signs; `data` is what Uppy tells of the request.
export async function ask (name, data) {
  const answer = await fetch(`/sign/${name}`, { method: 'POST', body: JSON.stringify(data) })
  if (!answer.ok) throw new Error(`The back end answered ${answer.status}.`)
  return answer.json()
}

// `then` is done once, when the first part has been uploaded: cancelAll, or pauseAll and resumeAll.
async function upload (makeUppy, { key, size, multipart, endpoint, then, retry }) {
  const uppy = makeUppy({ key, multipart, endpoint })
  const found = { steps: [], parts: 0 }
  const content = new Uint8Array(size).map((_, index) => index % 251)
  uppy.addFile({ name: key.split('/').pop(), type: 'image/png', data: new Blob([content]) })
  uppy.on('upload-progress', (_, { bytesUploaded }) => found.steps.push(bytesUploaded))
  uppy.on('s3-multipart:part-uploaded', () => {
    found.parts += 1
    if (then && found.parts === 1) for (const method of then) uppy[method]()
  })
  uppy.on('upload-success', (_, response) => { found.url = response.uploadURL })
  uppy.on('upload-error', (_, error) => {
    const cause = error.source ?? error.request
    found.error = {
      name: error.name,
      message: error.message,
      code: error.serviceCode ?? null,
      body: error.body ?? cause?.responseText ?? null
    }
  })
  await uppy.upload()
  if (retry && found.error) {
    found.first = found.error
    delete found.error
    await uppy.retryAll()
  }
  return found
}

export function offer (makeUppy) {
  window.upload = (task) => upload(makeUppy, task)
}
