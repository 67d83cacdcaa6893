// Uppy as it is today: each request to S3 goes straight from the page, and the back end only signs.

import AwsS3 from '@uppy/aws-s3'
import Uppy from '@uppy/core'

import { ask, offer } from './uppy_page.mjs'

// With an `endpoint` even that is done here, by temporary credentials.
offer(({ key, multipart, endpoint }) => new Uppy().use(AwsS3, {
  shouldUseMultipart: multipart,
  generateObjectKey: () => key,
  ...(endpoint
    ? { s3Endpoint: endpoint, getCredentials: () => ask('credentials', { key }) }
    : { signRequest: (request) => ask('request', request) })
}))
