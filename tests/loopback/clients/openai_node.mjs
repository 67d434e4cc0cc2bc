// A video from a gateway by openai-node as it is: node openai_node.mjs URL KEY PICTURE. Prints what it got as JSON.
import fs from "node:fs";
import OpenAI from "openai";

const [url, key, picture] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key });
const created = await client.videos.create({ model: "sora-2", prompt: "a cat", seconds: "8", size: "1280x720" });
const withFile = await client.videos.create({
  model: "sora-2", prompt: "a cat", input_reference: fs.createReadStream(picture),
});
let video = created;
while (video.status !== "completed" && video.status !== "failed") {
  await new Promise((resolve) => setTimeout(resolve, 50));
  video = await client.videos.retrieve(created.id);
}
const film = await (await client.videos.downloadContent(video.id)).arrayBuffer();
const listed = [];
for await (const each of client.videos.list({ limit: 1 })) listed.push(each.id);
const deleted = await client.videos.delete(video.id);
console.log(JSON.stringify({
  created: created.status, status: video.status, bytes: film.byteLength, listed: listed.length,
  withFile: withFile.model, deleted: deleted.deleted,
}));
