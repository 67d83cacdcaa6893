// The SDK's client with default settings: every operation a web application is likely to use.

import { Readable } from 'node:stream'

import {
  CopyObjectCommand, CreateBucketCommand, DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand,
  HeadObjectCommand, ListBucketsCommand, ListObjectsV2Command, PutObjectCommand
} from '@aws-sdk/client-s3'

import { connect, task, tell } from './client.mjs'

const client = connect()
const Bucket = task.bucket
const Key = task.key
const result = {}

await client.send(new CreateBucketCommand({ Bucket }))
result.buckets = (await client.send(new ListBucketsCommand({}))).Buckets.map((bucket) => bucket.Name)

const put = await client.send(new PutObjectCommand({
  Bucket, Key, Body: 'content', ContentType: 'text/x-own', Metadata: { colour: 'blue' }
}))
result.checksum = put.ChecksumCRC32

const head = await client.send(new HeadObjectCommand({ Bucket, Key }))
result.head = [head.ContentLength, head.ContentType, head.Metadata]

const got = await client.send(new GetObjectCommand({ Bucket, Key }))
result.content = await got.Body.transformToString()
result.sameETag = got.ETag === put.ETag

// A stream goes out in chunks with its checksum in the trailer.
const pieces = Array.from({ length: 50 }, (_, number) => Buffer.alloc(10_000, number))
const whole = Buffer.concat(pieces)
await client.send(new PutObjectCommand({
  Bucket, Key: 'streamed', Body: Readable.from(pieces), ContentLength: whole.length
}))
const streamed = await client.send(new GetObjectCommand({ Bucket, Key: 'streamed' }))
result.sameStream = whole.equals(Buffer.from(await streamed.Body.transformToByteArray()))
result.streamEncoding = streamed.ContentEncoding ?? null

await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/${encodeURIComponent(Key)}` }))
const listed = await client.send(new ListObjectsV2Command({ Bucket }))
result.keys = listed.Contents.map((entry) => entry.Key)

await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'copy' }, { Key: 'streamed' }] } }))
await client.send(new DeleteObjectCommand({ Bucket, Key }))
try {
  await client.send(new GetObjectCommand({ Bucket, Key }))
} catch (error) {
  result.error = [error.name, error.$metadata.httpStatusCode]
}
result.left = (await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount

tell(result)
