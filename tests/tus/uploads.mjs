// One scene with tus-js-client against a server that runs: `node uploads.mjs
// SCENE`, with `{"url", "token", "file"}` on the standard input. It ends with an
// error where the scene did not go as it should.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { FileUrlStorage, Upload } from "tus-js-client";

const { url, token, file } = JSON.parse(readFileSync(0, "utf8"));
const content = readFileSync(file);
const sha256 = createHash("sha256").update(content).digest("hex");
const PIECE = 128 * 1024;

/**
 * Sends the file and resolves to what was asked: `[method, offset]` each. With
 * `until`, it stops as soon as so many bytes were taken.
 */
function send({ until = Infinity, ...options } = {}) {
  const asked = [];
  return new Promise((resolve, reject) => {
    const upload = new Upload(createReadStream(file), {
      endpoint: `${url}/v1/blobs`,
      headers: { Authorization: `Bearer ${token}` },
      metadata: { sha256, filename: "照片.jpg" },
      uploadSize: content.length,
      chunkSize: PIECE,
      retryDelays: null,
      urlStorage: new FileUrlStorage(`${file}.urls`),
      fingerprint: async () => sha256,
      onBeforeRequest: (request) => {
        asked.push([request.getMethod(), Number(request.getHeader("Upload-Offset"))]);
      },
      onChunkComplete: (_, taken) => {
        if (taken < until) return;
        void upload.abort();
        resolve({ upload, asked });
      },
      onError: reject,
      onSuccess: () => resolve({ upload, asked }),
      ...options,
    });
    upload.findPreviousUploads().then((previous) => {
      if (previous.length > 0) upload.resumeFromPreviousUpload(previous[0]);
      upload.start();
    }, reject);
  });
}

/** Goes on with what was stopped, without sending anything twice. */
async function goOn() {
  const { asked } = await send();
  assert.equal(asked[0][0], "HEAD");
  assert.equal(asked[1][0], "PATCH");
  assert.ok(asked[1][1] >= 2 * PIECE, `it went on at ${asked[1][1]}`);
}

const refused = (status) => (error) => error.originalResponse?.getStatus() === status;

const scenes = {
  async aborted() {
    await send({ until: 2 * PIECE });
    await goOn();
  },
  async left() {
    await send({ until: 2 * PIECE });
    process.kill(process.pid, "SIGKILL");
  },
  found: goOn,
  async overridden() {
    const { asked } = await send({ overridePatchMethod: true });
    assert.ok(asked.every(([method]) => method === "POST"));
  },
  sent: () => send(),
  async known() {
    // It looks at no offset in the answer to POST, and learns it by a refusal.
    const { asked } = await send({ urlStorage: new FileUrlStorage(`${file}.none`), retryDelays: [0] });
    assert.deepEqual(asked.map(([method]) => method), ["POST", "PATCH", "HEAD"]);
  },
  other: () => assert.rejects(send({ metadata: { sha256: "0".repeat(64) } }), refused(460)),
  stranger: () => assert.rejects(send({ headers: { Authorization: "Bearer none" } }), refused(401)),
};

try {
  await scenes[process.argv[2]]();
} catch (error) {
  // Its message alone: the rest shows the token.
  console.error(error.message.replace(/,? ?response text: .*/s, ""));
  process.exitCode = 1;
}
