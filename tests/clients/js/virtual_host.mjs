// An endpoint with a name: the SDK puts the bucket in front of it, unasked.

import { request } from 'node:http'
import { text } from 'node:stream/consumers'

import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'

import { agent, connect, task, tell } from './client.mjs'

const client = connect()
const Bucket = task.bucket
const Key = task.key

await client.send(new CreateBucketCommand({ Bucket }))
await client.send(new PutObjectCommand({ Bucket, Key, Body: 'content' }))
const got = await client.send(new GetObjectCommand({ Bucket, Key }))
const url = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key }))
const response = await new Promise((resolve, reject) => {
  request(url, { agent }, resolve).on('error', reject).end()
})

tell({
  content: await got.Body.transformToString(),
  host: new URL(url).hostname,
  status: response.statusCode,
  presigned: await text(response)
})
agent.destroy()
