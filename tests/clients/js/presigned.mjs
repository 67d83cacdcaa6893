// getSignedUrl with default settings, and fetch with nothing added.

import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CopyObjectCommand, CreateMultipartUploadCommand,
  DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand,
  UploadPartCommand
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'

import { connect, task, tell } from './client.mjs'

const client = connect()
const Bucket = task.bucket
const Key = task.key
const sign = (Command, input, options = {}) =>
  getSignedUrl(client, new Command({ Bucket, Key, ...input }), { expiresIn: 600, ...options })
const steps = {}

async function use (name, method, url, init = {}) {
  const response = await fetch(url, { method, ...init })
  steps[name] = { url, status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
  return steps[name]
}

await use('put', 'PUT', await sign(PutObjectCommand, {}), { body: 'content' })
await use('get', 'GET', await sign(GetObjectCommand, {}))
await use('head', 'HEAD', await sign(HeadObjectCommand, {}))
await use('headOnGet', 'HEAD', await sign(GetObjectCommand, {}))
await use('named', 'GET', await sign(GetObjectCommand, {
  ResponseContentDisposition: "attachment; filename*=UTF-8''Bericht%20%E2%80%93%20M%C3%A4rz.pdf"
}))
await use('list', 'GET', await getSignedUrl(client, new ListObjectsV2Command({ Bucket, Prefix: 'folder/' })))

await use('putWithMetadata', 'PUT', await sign(PutObjectCommand, {
  Key: 'metadata', Metadata: { colour: 'blue' }, StorageClass: 'STANDARD_IA', ContentType: 'image/png'
}), { body: 'content', headers: { 'Content-Type': 'image/png' } })
await use('headWithMetadata', 'HEAD', await sign(HeadObjectCommand, { Key: 'metadata' }))

const typed = await sign(PutObjectCommand, { Key: 'typed', ContentType: 'image/png' }, {
  signableHeaders: new Set(['content-type'])
})
await use('putOtherType', 'PUT', typed, { body: 'content', headers: { 'Content-Type': 'text/html' } })
await use('putSignedType', 'PUT', typed, { body: 'content', headers: { 'Content-Type': 'image/png' } })

const once = await sign(PutObjectCommand, { Key: 'once', IfNoneMatch: '*' })
await use('once', 'PUT', once, { body: 'first', headers: { 'If-None-Match': '*' } })
await use('twice', 'PUT', once, { body: 'second', headers: { 'If-None-Match': '*' } })

await use('copy', 'PUT', await sign(CopyObjectCommand, { Key: 'copy', CopySource: `${Bucket}/metadata` }))
await use('getCopy', 'GET', await sign(GetObjectCommand, { Key: 'copy' }))

const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts' }))
const parts = []
for (const [index, size] of [5 * 1024 * 1024, 10].entries()) {
  const PartNumber = index + 1
  const url = await sign(UploadPartCommand, { Key: 'parts', UploadId, PartNumber })
  const part = await use(`part${PartNumber}`, 'PUT', url, { body: 'x'.repeat(size) })
  parts.push({ PartNumber, ETag: part.headers.etag })
}
const completion = parts.map(({ PartNumber, ETag }) =>
  `<Part><PartNumber>${PartNumber}</PartNumber><ETag>${ETag}</ETag></Part>`).join('')
await use('complete', 'POST', await sign(CompleteMultipartUploadCommand, { Key: 'parts', UploadId }), {
  body: `<CompleteMultipartUpload>${completion}</CompleteMultipartUpload>`
})
await use('headParts', 'HEAD', await sign(HeadObjectCommand, { Key: 'parts' }))

const other = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'aborted' }))
await use('abort', 'DELETE', await sign(AbortMultipartUploadCommand, { Key: 'aborted', UploadId: other.UploadId }))

await use('delete', 'DELETE', await sign(DeleteObjectCommand, {}))
await use('gone', 'GET', await sign(GetObjectCommand, {}))

tell(steps)
