// Uppy's previous major version: the bytes go straight from the page, and the back end does the rest.

import AwsS3 from '@uppy/aws-s3'
import Uppy from '@uppy/core'

import { ask, offer } from '../uppy_page.mjs'

offer(({ key, multipart }) => new Uppy().use(AwsS3, {
  shouldUseMultipart: multipart,
  retryDelays: [0],
  getUploadParameters: (file) => ask('upload', { key, type: file.type }),
  createMultipartUpload: (file) => ask('creation', { key, type: file.type }),
  signPart: (_, { key, uploadId, partNumber }) => ask('part', { key, uploadId, partNumber }),
  listParts: (_, { key, uploadId }) => ask('parts', { key, uploadId }),
  completeMultipartUpload: (_, { key, uploadId, parts }) =>
    ask('completion', { key, uploadId, parts: parts.map(({ ETag, PartNumber }) => ({ ETag, PartNumber })) }),
  abortMultipartUpload: (_, { key, uploadId }) => ask('abortion', { key, uploadId })
}))
