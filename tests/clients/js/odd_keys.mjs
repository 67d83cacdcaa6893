// Keys that some client or proxy somewhere gets wrong: put, got, presigned, listed and deleted.

import {
  CopyObjectCommand, DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'

import { connect, task, tell } from './client.mjs'

const client = connect()
const Bucket = task.bucket
const found = { kept: [], presigned: [] }

for (const Key of task.keys) {
  await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
  const got = await client.send(new GetObjectCommand({ Bucket, Key }))
  found.kept.push(await got.Body.transformToString())
}

async function download (Key) {
  const url = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key }))
  // `fetch` and `URL` rewrite dots in a path, as browsers do; such keys go by a copy under another name.
  if (new URL(url).href === url) return (await fetch(url)).text()
  const CopySource = `${Bucket}/${Key.split('/').map(encodeURIComponent).join('/')}`
  await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }))
  const copy = await client.send(new GetObjectCommand({ Bucket, Key: 'copy' }))
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'copy' }))
  return copy.Body.transformToString()
}

for (const Key of task.keys) found.presigned.push(await download(Key))

// Decoded: XML itself could not hold all of them.
const { Contents } = await client.send(new ListObjectsV2Command({ Bucket, EncodingType: 'url' }))
found.listed = Contents.map((entry) => decodeURIComponent(entry.Key.replaceAll('+', ' ')))
// The document that deletes many has no way to write a control character.
const isPlain = (Key) => !/[\0-\x1f]/.test(Key)
const Objects = task.keys.filter(isPlain).map((Key) => ({ Key }))
await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
for (const Key of task.keys.filter((key) => !isPlain(key))) {
  await client.send(new DeleteObjectCommand({ Bucket, Key }))
}
found.left = (await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount

tell(found)
