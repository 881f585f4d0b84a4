// What a scripted model says, whatever protocol it says it in: decided by the model's name, before the first `~`, and by what the request asks for.

// Something that a JSON schema allows. `variant` makes two calls of one tool differ.
export function sample(schema = {}, variant = 0, root = schema) {
  if (schema.$ref) return sample(schema.$ref.slice(2).split("/").reduce((at, name) => at?.[name], root), variant, root);
  const { anyOf, oneOf, allOf } = schema;
  if (anyOf ?? oneOf) return sample((anyOf ?? oneOf)[0], variant, root);
  if (allOf) return sample(allOf[0], variant, root);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  switch (String(Array.isArray(schema.type) ? schema.type[0] : (schema.type ?? (schema.properties ? "object" : ""))).toLowerCase()) {
    case "object":
      return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, sample(inner, variant, root)]));
    case "array":
      return [sample(schema.items, variant, root)];
    case "integer":
    case "number":
      return schema.minimum ?? 7;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return ["Oslo", "Bergen — «bær»"][variant];
  }
}

export const HELLO = "Hello, wörld: 漢字 and 🌊.";
export const REASONING = "The user greets me.\nI look at the weather — twice.";
export const FINAL = (results) => `The results are: ${results.join(" | ")}`;

// What is said aloud, and how it sounds: pieces that are each encoded for itself, the second with padding, which is then in the middle of it all.
export const WORDS = ["Good ", "day ", "— wörld."];
export const SOUND = [3, 7, 12, 1].map((size, at) => Buffer.alloc(size, 0xf0 + at));

const turn = (more) => ({ reasoning: "", text: "", calls: [], finish: "stop", ...more });

// One or two calls of the tools that there are.
function calls({ tools, forced, parallel }) {
  const one = tools.find(({ name }) => name === forced);
  const chosen = one ? [one] : tools.length > 1 ? tools.slice(0, 2) : [tools[0], tools[0]];
  // A model that is made to call its only tool does so once.
  const most = parallel && !(forced && tools.length === 1) ? 2 : 1;
  return chosen.slice(0, most).map(({ name, schema }, at) => ({ name, args: sample(schema, tools.length > 1 ? 0 : at) }));
}

// What breaks the schema of an answer: numbers in words, or words that are numbers where there are none.
export function spoil(value) {
  const spoiled = JSON.stringify(value, (_, inner) => (typeof inner === "number" ? "seven" : inner));
  return JSON.parse(spoiled === JSON.stringify(value) ? JSON.stringify(value, (_, inner) => (typeof inner === "string" ? 7 : inner)) : spoiled);
}

// The same turn with its JSON, or the first of its calls, spoiled.
const wrong = (turn) => ({
  ...turn,
  text: turn.text.startsWith("{") ? JSON.stringify(spoil(JSON.parse(turn.text))) : turn.text,
  calls: turn.calls.map((call, at) => (at === 0 ? { ...call, args: spoil(call.args) } : call)),
});

// How the gateway begins what it tells of a wrong answer.
const COMPLAINT = /What is wrong with it:|its arguments are wrong/;

// A request as it was before a wrong answer was told in it, and whether one was.
export function uncorrected(body) {
  const name = ["messages", "contents", "input"].find((one) => Array.isArray(body[one]));
  const isOwn = ({ role, type }) => ["assistant", "model"].includes(role) || ["function_call", "reasoning"].includes(type);
  const turns = [...(body[name] ?? [])];
  const own = turns.findLastIndex(isOwn);
  if (own < 0 || !COMPLAINT.test(JSON.stringify(turns.slice(own + 1)))) return { body, corrected: false };
  turns.length = own;
  while (turns.length > 0 && isOwn(turns.at(-1))) turns.pop();
  return { body: { ...body, [name]: turns }, corrected: true };
}

export const REFUSAL = "I'd rather not say — sorry.";

// An agent framework's way to have an answer of a type: a tool of its own.
const OUTPUT = /^(final_result|json$)/;

export const MODELS = {
  // Reasons and calls tools where there are any, answers with their results where they are there, and says hello otherwise.
  agent(asked) {
    const last = asked.tools.find(({ name }) => OUTPUT.test(name));
    const others = asked.tools.filter(({ name }) => !OUTPUT.test(name));
    if (last && (others.length === 0 || asked.results.length > 0)) return turn({ calls: [{ name: last.name, args: sample(last.schema) }], finish: "calls" });
    if (asked.schema && (others.length === 0 || asked.forbidden || asked.results.length > 0)) return turn({ text: JSON.stringify(sample(asked.schema)) });
    if (asked.results.length > 0) return turn({ text: FINAL(asked.results) });
    if (others.length > 0 && !asked.forbidden) return turn({ reasoning: REASONING, calls: calls({ ...asked, tools: others }), finish: "calls" });
    return turn({ reasoning: asked.thinks ? REASONING : "", text: HELLO });
  },
  // Calls tools however often it has been answered.
  caller: (asked) => turn({ reasoning: REASONING, text: "I will look.", calls: calls(asked), finish: "calls" }),
  // Says it aloud, to whoever asks by a protocol that has a way to.
  speaker: () => turn({ speech: { words: WORDS, sound: SOUND } }),
  // As the agent, but every turn is wrong, until it is told so: the same request again would be answered the same.
  mends: (asked) => (asked.corrected ? MODELS.agent(asked) : wrong(MODELS.agent(asked))),
  // The same with JSON that breaks off, though the model says that it is done.
  breaks(asked) {
    const turn = MODELS.agent(asked);
    return asked.corrected ? turn : { ...turn, text: turn.text.slice(0, turn.text.indexOf("population") + 12) };
  },
  // Wrong whatever it is told.
  stubborn: (asked) => wrong(MODELS.agent(asked)),
  // Right, but it cannot help talking.
  fenced(asked) {
    const turn = MODELS.agent(asked);
    return turn.text.startsWith("{") ? { ...turn, text: `Sure! Here you are:\n\n\`\`\`json\n${turn.text}\n\`\`\`\nAnything else?` } : turn;
  },
  refuses: () => turn({ refusal: REFUSAL, finish: "refusal" }),
  cut: () => turn({ text: HELLO, finish: "length" }),
};
