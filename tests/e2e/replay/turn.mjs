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

// An agent framework's way to have an answer of a type: a tool of its own.
const OUTPUT = /^final_result/;

export const MODELS = {
  // Reasons and calls tools where there are any, answers with their results where they are there, and says hello otherwise.
  agent(asked) {
    const last = asked.tools.find(({ name }) => OUTPUT.test(name));
    const others = asked.tools.filter(({ name }) => !OUTPUT.test(name));
    if (last && (others.length === 0 || asked.results.length > 0)) return turn({ calls: [{ name: last.name, args: sample(last.schema) }], finish: "calls" });
    if (asked.schema) return turn({ text: JSON.stringify(sample(asked.schema)) });
    if (asked.results.length > 0) return turn({ text: FINAL(asked.results) });
    if (others.length > 0 && !asked.forbidden) return turn({ reasoning: REASONING, calls: calls({ ...asked, tools: others }), finish: "calls" });
    return turn({ reasoning: asked.thinks ? REASONING : "", text: HELLO });
  },
  // Calls tools however often it has been answered.
  caller: (asked) => turn({ reasoning: REASONING, text: "I will look.", calls: calls(asked), finish: "calls" }),
  // Says it aloud, to whoever asks by a protocol that has a way to.
  speaker: () => turn({ speech: { words: WORDS, sound: SOUND } }),
  cut: () => turn({ text: HELLO, finish: "length" }),
};
