// The AWS SDK's presigner, measured in its own process: a line of settings, then a line of seconds for each turn.
// It answers the settings with the first URL, and each turn with URLs per second of the processor.
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const settings = JSON.parse((await lines.next()).value);
const { accessKey, secretKey, region, endpoint, bucket, expiresIn, keys } = settings;
const client = new S3Client({
  region,
  endpoint,
  forcePathStyle: true,
  credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
});

const sign = (key) => getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn });

const spentSince = (start) => {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
};

// The first turn is the warm-up, which a compiler that learns while it runs needs longer than the other signers.
let turns = 10;

console.log(await sign(keys[0]));
for (let line = await lines.next(); !line.done; line = await lines.next()) {
  const seconds = Number(line.value) * turns;
  turns = 1;
  const start = process.cpuUsage();
  let done = 0;
  while (spentSince(start) < seconds) {
    for (const key of keys) {
      await sign(key);
    }
    done += keys.length;
  }
  console.log(done / spentSince(start));
}
