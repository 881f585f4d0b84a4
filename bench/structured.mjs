// A schema of about 4 KB, and an answer of about 2 KB that is valid by it: an order, as it might be read out of a letter.
const text = (description, more = {}) => ({ type: "string", description, maxLength: 120, ...more });
const count = (description, maximum) => ({ type: "integer", description, minimum: 0, maximum });
const amount = (description) => ({ type: "number", description, minimum: 0 });
const one = (description, ...words) => ({ type: "string", description, enum: words });
const object = (properties, optional = []) => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});

const address = object(
  {
    street: text("The street and the number of the house"),
    city: text("The city, without its postcode"),
    postcode: text("The postcode", { pattern: "^[A-Z0-9 -]{3,10}$" }),
    country: text("The country by two letters, ISO 3166-1", { pattern: "^[A-Z]{2}$" }),
  },
  ["postcode"],
);

export const schema = {
  ...object(
    {
      number: text("The number of the order as the letter gives it", { pattern: "^[A-Z]{2}-[0-9]{4,8}$" }),
      ordered: text("The day of the order, year first", { pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
      status: one("What has become of the order", "open", "packed", "shipped", "delivered", "returned", "cancelled"),
      priority: count("How urgent it is, from 0, not at all, to 5, at once", 5),
      customer: object(
        {
          name: text("The name of the customer, the given name first"),
          email: { anyOf: [text("Where the customer is written to", { pattern: "^[^@ ]+@[^@ ]+$" }), { type: "null" }] },
          phone: text("The telephone number with the country's code"),
          kind: one("Who the customer is", "person", "company", "school", "state"),
          languages: { type: "array", description: "The languages that the customer reads", items: one("By two letters", "de", "en", "fr", "es", "it"), maxItems: 5, uniqueItems: true },
        },
        ["phone"],
      ),
      shipping: { $ref: "#/$defs/address" },
      billing: { anyOf: [{ $ref: "#/$defs/address" }, { type: "null" }] },
      lines: { type: "array", description: "What was ordered, in the order of the letter", items: { $ref: "#/$defs/line" }, minItems: 1, maxItems: 50 },
      discounts: {
        type: "array",
        description: "What is taken off the price, and why",
        items: object({ reason: text("Why the price is lower, in the words of the letter"), percent: amount("By how much in the hundred") }),
      },
      totals: object({ net: amount("The sum of the lines"), tax: amount("The tax on them"), gross: amount("What is to be paid in the end") }),
      notes: { type: "array", description: "Whatever else the letter says, sentence by sentence", items: text("One sentence", { maxLength: 300 }), maxItems: 20 },
      summary: text("All of it in two sentences, for somebody in a hurry who has not read the letter", { maxLength: 400 }),
    },
    ["billing"],
  ),
  $defs: {
    address,
    line: object(
      {
        article: text("The number of the article in the catalogue", { pattern: "^[0-9]{5}$" }),
        name: text("The name of the article in the customer's words"),
        quantity: { ...count("How many of them, at least one", 10000), minimum: 1 },
        price: amount("The price of one, without tax"),
        unit: one("What one of them is", "piece", "box", "metre", "kilogram"),
        colour: { type: ["string", "null"], description: "The colour, where the letter names one" },
        gift: { type: "boolean", description: "Whether it is to be wrapped as a present" },
      },
      ["colour", "gift"],
    ),
  },
};

const NAMES = ["Desk lamp with a brass foot", "Oak shelf, three boards", "Linen curtain", "Wall hook", "Reading chair", "Wool rug", "Paper basket", "Cork board"];

export const answer = JSON.stringify({
  number: "BW-204811",
  ordered: "2025-03-14",
  status: "packed",
  priority: 3,
  customer: { name: "Maria Lopez", email: "maria.lopez@example.com", phone: "+34 555 0142", kind: "person", languages: ["es", "en"] },
  shipping: { street: "Calle Mayor 12, second floor", city: "Madrid", postcode: "28013", country: "ES" },
  billing: null,
  lines: NAMES.map((name, at) => ({ article: String(10234 + 17 * at), name, quantity: at + 1, price: 19.5 + at, unit: "piece", colour: at % 2 === 0 ? "green" : null, gift: at === 3 })),
  discounts: [{ reason: "A voucher from the spring catalogue", percent: 5 }],
  totals: { net: 658, tax: 138.18, gross: 796.18 },
  notes: [
    "The parcel may be left with the neighbour on the first floor, who is at home in the morning.",
    "If the green curtain is sold out, the blue one would do as well.",
    "Please do not send any further catalogues, as there are two of them in the house already.",
    "The bell does not work; the driver should knock, or call.",
    "The rug is for a room with a stone floor, so that it should be one of the thicker ones.",
    "An invoice on paper is wanted too, with the number of the order on it.",
  ],
  summary: "Maria Lopez of Madrid orders eight articles for her study, among them a lamp, a shelf and a chair, with a voucher of five percent. One hook is a present, and the curtain may be blue.",
});
