// What lib-storage and the client do around an upload: small bodies, a failure, tags, ranges, folders, copies in parts,
// pages, waiting, errors.

import { Readable } from 'node:stream'

import {
  CompleteMultipartUploadCommand, CopyObjectCommand, CreateMultipartUploadCommand, DeleteObjectCommand,
  GetObjectCommand, GetObjectTaggingCommand, HeadObjectCommand, ListMultipartUploadsCommand,
  ListObjectsV2Command, paginateListObjectsV2, PutObjectCommand, UploadPartCopyCommand,
  waitUntilObjectExists, waitUntilObjectNotExists
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'

import { connect, credentials, task, tell } from './client.mjs'

const client = connect()
const Bucket = task.bucket
const MIB = 1024 * 1024
const body = Buffer.alloc(11 * MIB, 'x')
body.write('tail', body.length - 4)
const send = (Command, input) => client.send(new Command({ Bucket, ...input }))
const upload = (Key, Body, options = {}) => new Upload({ client, params: { Bucket, Key, Body }, ...options })

const steps = {
  async small () {
    const done = await upload('folder/small', 'content').done()
    const { CommonPrefixes, Contents } = await send(ListObjectsV2Command, { Delimiter: '/' })
    return [done.Key, CommonPrefixes.map((entry) => entry.Prefix), Contents?.length ?? 0]
  },
  async range () {
    await upload('large', body).done()
    const got = await send(GetObjectCommand, { Key: 'large', Range: 'bytes=-5' })
    return [got.ContentRange, await got.Body.transformToString()]
  },
  async failure () {
    const pieces = function * () {
      yield body
      throw new Error('The source ended early.')
    }
    const error = await upload('failed', Readable.from(pieces())).done().catch((reason) => reason)
    const { Uploads } = await send(ListMultipartUploadsCommand, {})
    return [error.message, Uploads?.length ?? 0]
  },
  async tags () {
    await upload('tagged', body, { tags: [{ Key: 'colour', Value: 'blue' }] }).done()
    return (await send(GetObjectTaggingCommand, { Key: 'tagged' })).TagSet
  },
  async pages () {
    const keys = Array.from({ length: 25 }, (_, number) => `folder/${String(number).padStart(2, '0')}`)
    for (const Key of keys) await send(PutObjectCommand, { Key, Body: 'content' })
    const pages = []
    for await (const page of paginateListObjectsV2({ client, pageSize: 10 }, { Bucket, Prefix: 'folder/' })) {
      pages.push(page.Contents.map((entry) => entry.Key))
    }
    return [pages.map((page) => page.length), pages.flat().join() === keys.join()]
  },
  async rename () {
    await send(PutObjectCommand, { Key: 'old', Body: 'content', Metadata: { colour: 'blue' } })
    await send(CopyObjectCommand, { Key: 'new', CopySource: `${Bucket}/old` })
    await send(DeleteObjectCommand, { Key: 'old' })
    const wait = { client, maxWaitTime: 10 }
    await waitUntilObjectExists(wait, { Bucket, Key: 'new' })
    await waitUntilObjectNotExists(wait, { Bucket, Key: 'old' })
    const { Metadata } = await send(HeadObjectCommand, { Key: 'new' })
    const { Contents } = await send(ListObjectsV2Command, {})
    return [Metadata.colour, Contents.map((entry) => entry.Key)]
  },
  async errors () {
    await send(PutObjectCommand, { Key: 'here', Body: 'content' })
    const stranger = connect({ credentials: { ...credentials, secretAccessKey: 'wrong' } })
    const failing = [
      send(GetObjectCommand, { Bucket: 'no-such-bucket-at-all', Key: 'k' }),
      send(GetObjectCommand, { Key: 'not-there' }),
      stranger.send(new GetObjectCommand({ Bucket, Key: 'here' })),
      send(PutObjectCommand, { Key: 'here', Body: 'other', IfNoneMatch: '*' })
    ]
    const settled = await Promise.allSettled(failing)
    return settled.map(({ reason }) => reason && `${reason.name} ${reason.$metadata.httpStatusCode}`)
  },
  async copyInParts () {
    await upload('large', body).done()
    const { UploadId } = await send(CreateMultipartUploadCommand, { Key: 'copy' })
    const Parts = []
    for (const [index, range] of [`0-${6 * MIB - 1}`, `${6 * MIB}-${body.length - 1}`].entries()) {
      const part = { Key: 'copy', UploadId, PartNumber: index + 1 }
      const copied = await send(UploadPartCopyCommand, {
        ...part, CopySource: `${Bucket}/large`, CopySourceRange: `bytes=${range}`
      })
      Parts.push({ PartNumber: part.PartNumber, ETag: copied.CopyPartResult.ETag })
    }
    await send(CompleteMultipartUploadCommand, { Key: 'copy', UploadId, MultipartUpload: { Parts } })
    return (await send(HeadObjectCommand, { Key: 'copy' })).ContentLength
  }
}

tell(await steps[task.step]())
