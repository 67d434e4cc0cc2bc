// One run of openai-node, unmodified: creates so many videos at once, and prints the ids that it was told.
// node front_client.cjs BASE_URL KEY JOBS    (with the package `openai` where require finds it, see NODE_PATH)
const { OpenAI } = require("openai");

const [baseURL, apiKey, jobs] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey });

async function created(number) {
  try {
    return (await client.videos.create({ model: "sora-2", prompt: `job-${number}.`, seconds: "4" })).id;
  } catch (error) {
    return null;
  }
}

Promise.all(Array.from({ length: Number(jobs) }, (_, number) => created(number))).then((ids) =>
  console.log(JSON.stringify(ids)),
);
