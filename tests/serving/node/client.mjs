// What the official client does against a gateway, each in a check of its own; see
// test_openai_node.py, which starts the gateway that these expect.
import assert from "node:assert/strict";
import OpenAI from "openai";

const { GATEWAY, CUSTOMER_KEY, AGENT_KEY } = process.env;
const options = { baseURL: `${GATEWAY}/v1`, apiKey: CUSTOMER_KEY, maxRetries: 0 };
const client = new OpenAI(options);
const as = (apiKey) => new OpenAI({ ...options, apiKey });
const ask = (content, more = {}) => ({
  model: "support",
  messages: [{ role: "user", content }],
  ...more,
});

async function collected(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  const text = chunks.map((c) => c.choices[0]?.delta.content ?? "").join("");
  return { chunks, text };
}

// A stream whose first words have come, so that its request is known to be at work.
async function begun(user) {
  const stream = await client.chat.completions.create(ask("slowly", { stream: true, user }));
  const chunks = stream[Symbol.asyncIterator]();
  await chunks.next();
  return { rest: async () => { while (!(await chunks.next()).done); } };
}

const checks = {
  async chat() {
    const answer = await client.chat.completions.create(ask("hello", { user: "ada" }));
    assert.equal(answer.choices[0].message.content, "support-base answers: hello");
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.ok(answer.usage.total_tokens > 0);
    assert.equal(answer.understudy.version, "support-base");
    assert.match(answer._request_id, /./);
  },
  async stream() {
    const { chunks, text } = await collected(
      await client.chat.completions.create(ask("hello", { stream: true })),
    );
    assert.equal(text, "support-base answers: hello");
    assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
    assert.ok(chunks.every((chunk) => chunk.usage == null));
  },
  async usageInStream() {
    const { chunks } = await collected(
      await client.chat.completions.create(
        ask("hello", { stream: true, stream_options: { include_usage: true } }),
      ),
    );
    assert.deepEqual(chunks.at(-1).choices, []);
    assert.ok(chunks.at(-1).usage.completion_tokens > 0);
  },
  async streamHelper() {
    const running = client.chat.completions.stream(ask("hello"));
    let text = "";
    running.on("content", (delta) => (text += delta));
    const final = await running.finalChatCompletion();
    assert.equal(text, "support-base answers: hello");
    assert.equal(final.choices[0].message.content, text);
  },
  async tools() {
    const tools = [
      { type: "function", function: { name: "find", parameters: { type: "object" } } },
    ];
    const asked = ask("find it", { tools, tool_choice: "required" });
    const { message, finish_reason } = (await client.chat.completions.create(asked)).choices[0];
    assert.deepEqual([message.content, finish_reason], [null, "tool_calls"]);
    assert.equal(message.tool_calls[0].function.name, "find");
    const result = { role: "tool", tool_call_id: message.tool_calls[0].id, content: "here" };
    const messages = [...asked.messages, message, result];
    const answer = await client.chat.completions.create({ model: "support", messages, tools });
    assert.equal(answer.choices[0].message.content, "support-base answers: here");
    const streamed = client.chat.completions.stream(asked);
    const call = (await streamed.finalChatCompletion()).choices[0].message.tool_calls[0];
    assert.deepEqual([call.function.name, call.function.arguments], ["find", "{}"]);
  },
  async formOfAnswer() {
    const schema = { type: "object", properties: { urgent: { type: "boolean" } } };
    const answer = await client.chat.completions.parse(
      ask("json", {
        response_format: { type: "json_schema", json_schema: { name: "urgency", schema } },
      }),
    );
    assert.deepEqual(JSON.parse(answer.choices[0].message.content), { urgent: true });
  },
  async models() {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    assert.deepEqual(names, ["support"]);
    assert.equal((await client.models.retrieve("support")).owned_by, "understudy");
    await assert.rejects(client.models.retrieve("gpt-5"), OpenAI.NotFoundError);
  },
  async headers() {
    const { data, response, request_id } = await client.chat.completions
      .create(ask("hello"), { headers: { "X-Conversation-Id": "chat-7" } })
      .withResponse();
    const conversation = response.headers.get("x-understudy-conversation");
    assert.equal(conversation, data.understudy.conversation_id);
    assert.equal(request_id, response.headers.get("x-request-id"));
  },
  async errors() {
    const chat = (more, by = client) => by.chat.completions.create(ask("hello", more));
    const refused = async (promise, kind, status, code, param = null) => {
      const error = await promise.then(() => assert.fail("answered"), (e) => e);
      assert.ok(error instanceof kind, `${error}`);
      assert.deepEqual([error.status, error.code, error.param], [status, code, param]);
      return error;
    };
    await refused(chat({ n: 2 }), OpenAI.BadRequestError, 400, "invalid_value", "n");
    await refused(chat({}, as("nobody")), OpenAI.AuthenticationError, 401, "invalid_api_key");
    await refused(chat({}, as(AGENT_KEY)), OpenAI.PermissionDeniedError, 403, "forbidden");
    await refused(chat({ model: "gpt-5" }), OpenAI.NotFoundError, 404, "model_not_found", "model");
    const huge = client.chat.completions.create(ask("x".repeat(60_000)));
    await refused(huge, OpenAI.APIError, 413, "request_too_large");
    const [first, second] = [await begun("eager"), await begun("other")];
    const limited = await refused(
      chat({ user: "eager" }), OpenAI.RateLimitError, 429, "rate_limit_exceeded",
    );
    assert.equal(limited.headers.get("retry-after"), "1");
    const third = await begun("third");
    await refused(chat({}), OpenAI.InternalServerError, 503, "overloaded");
    await Promise.all([first, second, third].map((answer) => answer.rest()));
  },
  async retry() {
    const patient = new OpenAI({ ...options, maxRetries: 2 });
    const first = await begun("twice");
    const began = performance.now();
    const [answer] = await Promise.all([
      patient.chat.completions.create(ask("hello", { user: "twice" })),
      first.rest(),
    ]);
    assert.equal(answer.choices[0].message.content, "support-base answers: hello");
    assert.ok(performance.now() - began >= 1_000, "Retry-After was not waited for");
  },
  async timeout() {
    const hurried = client.chat.completions.create(ask("never"), { timeout: 200 });
    await assert.rejects(hurried, OpenAI.APIConnectionTimeoutError);
  },
  async abort() {
    const stream = await client.chat.completions.create(ask("slowly", { stream: true }));
    for await (const _ of stream) break;
    assert.ok(stream.controller.signal.aborted);
  },
};

for (const [name, check] of Object.entries(checks)) {
  await check();
  console.log(`${name} works`);
}
