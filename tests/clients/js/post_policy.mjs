// createPresignedPost: only signs, and asks no server.

import { createPresignedPost } from '@aws-sdk/s3-presigned-post'

import { connect, task, tell } from './client.mjs'

tell(await createPresignedPost(connect(), {
  Bucket: task.bucket,
  Key: task.key,
  Conditions: [['content-length-range', 1, 1000]],
  Fields: { 'Content-Type': 'text/plain' },
  Expires: 600
}))
