// lib-storage: a stream of unknown length goes up in parts, several at a time.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

import { GetObjectCommand } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'

import { connect, task, tell } from './client.mjs'

const client = connect()
const upload = new Upload({
  client,
  params: { Bucket: task.bucket, Key: task.key, Body: createReadStream(task.file), ContentType: 'text/x-big' },
  partSize: 5 * 1024 * 1024,
  queueSize: 4
})
let progress = 0
upload.on('httpUploadProgress', (event) => { progress = Math.max(progress, event.loaded) })
const done = await upload.done()

const got = await client.send(new GetObjectCommand({ Bucket: task.bucket, Key: task.key }))
const hash = createHash('sha256')
for await (const piece of got.Body) hash.update(piece)

tell({ etag: done.ETag, progress, type: got.ContentType, sha256: hash.digest('hex') })
