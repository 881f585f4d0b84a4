// Makes table.json: the patterns that SDKs write into JSON Schema, and which of many strings JavaScript's own RegExp matches by each.
// From the repository's root, after `npm ci`: node src/schema/tests/emitted/generate.mjs
// With Python and pydantic, what that emits is in pydantic.json: python3 src/schema/tests/emitted/pydantic_patterns.py
import { readFileSync, writeFileSync } from "node:fs";
import * as z from "zod";

const from = {
    "z.email()": z.email(),
    "z.email({ pattern: html5Email })": z.email({ pattern: z.regexes.html5Email }),
    "z.email({ pattern: rfc5322Email })": z.email({ pattern: z.regexes.rfc5322Email }),
    "z.email({ pattern: unicodeEmail })": z.email({ pattern: z.regexes.unicodeEmail }),
    "z.guid()": z.guid(),
    "z.uuid()": z.uuid(),
    "z.uuidv4()": z.uuidv4(),
    "z.uuidv6()": z.uuidv6(),
    "z.uuidv7()": z.uuidv7(),
    "z.url()": z.url(),
    "z.httpUrl()": z.httpUrl(),
    "z.hostname()": z.hostname(),
    "z.emoji()": z.emoji(),
    "z.nanoid()": z.nanoid(),
    "z.cuid()": z.cuid(),
    "z.cuid2()": z.cuid2(),
    "z.ulid()": z.ulid(),
    "z.xid()": z.xid(),
    "z.ksuid()": z.ksuid(),
    "z.ipv4()": z.ipv4(),
    "z.ipv6()": z.ipv6(),
    "z.mac()": z.mac?.(),
    "z.cidrv4()": z.cidrv4(),
    "z.cidrv6()": z.cidrv6(),
    "z.base64()": z.base64(),
    "z.base64url()": z.base64url(),
    "z.e164()": z.e164(),
    "z.jwt()": z.jwt(),
    "z.iso.date()": z.iso.date(),
    "z.iso.time()": z.iso.time(),
    "z.iso.time({ precision: -1 })": z.iso.time({ precision: -1 }),
    "z.iso.time({ precision: 3 })": z.iso.time({ precision: 3 }),
    "z.iso.datetime()": z.iso.datetime(),
    "z.iso.datetime({ offset: true })": z.iso.datetime({ offset: true }),
    "z.iso.datetime({ local: true, offset: true })": z.iso.datetime({ local: true, offset: true }),
    "z.iso.duration()": z.iso.duration(),
    "z.hex()": z.hex?.(),
    "z.hash('md5')": z.hash?.("md5"),
    "z.hash('sha512', { enc: 'base64' })": z.hash?.("sha512", { enc: "base64" }),
    "z.string().lowercase()": z.string().lowercase(),
    "z.string().uppercase()": z.string().uppercase(),
    "z.string().startsWith()": z.string().startsWith("a.b/c-"),
    "z.string().endsWith()": z.string().endsWith("(x)^$"),
    "z.string().includes()": z.string().includes("[1|2]"),
    "z.string().includes(position)": z.string().includes("b", { position: 3 }),
    "z.templateLiteral()": z.templateLiteral(["v", z.number(), "-", z.enum(["a", "b+"]), z.string().optional()]),
    "z.templateLiteral(email)": z.templateLiteral(["mailto:", z.email()]),
    "z.record()": z.record(z.string().regex(/^(?!__)[a-z_]+$/), z.string()),
};
for (const [name, regex] of Object.entries(z.regexes)) {
    if (regex instanceof RegExp && !regex.flags.includes("i")) from[`z.regexes.${name}`] = z.string().regex(regex);
}

const found = new Map();
const add = (name, value) => {
    if (Array.isArray(value)) return value.forEach((one) => add(name, one));
    if (value === null || typeof value !== "object") return;
    for (const [key, inner] of Object.entries(value)) {
        if (key === "pattern" && typeof inner === "string" && !found.has(inner)) found.set(inner, name);
        add(name, inner);
    }
};
for (const [name, schema] of Object.entries(from)) {
    if (schema) for (const target of ["draft-2020-12", "draft-7"]) add(name, z.toJSONSchema(schema, { target }));
}
for (const [name, schema] of Object.entries(JSON.parse(readFileSync(new URL("pydantic.json", import.meta.url))))) add(name, schema);
// Patterns that people write with what looks around.
for (const pattern of [
    "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$",
    "^(\\p{Extended_Pictographic}|\\p{Emoji_Component})+$",
    "^(?=.*[a-z])(?=.*[A-Z])(?=.*\\d)[\\s\\S]{8,64}$",
    "^(?!.*--)[a-z0-9-]+(?<!-)$",
    "(?<=[$€])\\d+(?:\\.\\d{2})?(?!\\d)",
    "^(?:(?!<\\/?b>)[\\s\\S])*$",
    "^(?!(?:con|prn|aux|nul)(?:\\.|$))[^\\\\/]+(?<![. ])$",
]) found.set(pattern, "people");

const seeds = `
a@b.co|a.b+c@example.com|.a@b.co|a..b@b.co|a.@b.co|é@b.co|"x y"@b.co|a@[1.2.3.4]|a_b'@x-y.org|_@b.travel|mailto:a.b@c.de
123e4567-e89b-12d3-a456-426614174000|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff|550e8400-e29b-41d4-a716-446655440000
1ef21d2f-1207-6660-8c4f-419efbd44d48|018f2f3e-7b1a-7c3d-9e4f-0123456789ab|018F2F3E-7B1A-9C3D-1E4F-0123456789AB
example.com|sub.example-site.co.uk.|-bad.com|bad-.com|localhost|a..b|xn--nxasmq6b|https://example.com/a?b#c|http://x|https|http
😀|👩🚀|👩‍🚀|🇨🇭|3️⃣|3|#|❤️|👍🏽|★|🦰|🏻|©|🇨|😀a
V1StGXR8_Z5jdHi6B-myT|cjld2cjxh0000qzrmn831i7rn|tz4a98xxat96iws9zmbrgj3a|01ARZ3NDEKTSV4RRFFQ69G5FAV|81ARZ3NDEKTSV4RRFFQ69G5FAV|9m4e2mr0ui3e8a215n4g|0ujsswThIGTUYm2K8FjOOfXtY1K
1.2.3.4|255.255.255.255|256.1.1.1|01.2.3.4|::|::1|1:2:3:4:5:6:7:8|1::8|2001:db8::ff00:42:8329|1:2:3:4:5:6:7|12345::|fe80::1%eth0|::ffff:1.2.3.4
00:1A:2B:3C:4D:5E|00:1a:2b:3c:4d:5e|00:1A:2b:3C:4D:5E|10.0.0.0/8|10.0.0.0/33|1.2.3.4/32|2001:db8::/32|::/128|::/129
aGVsbG8=|aGVsbG8|aGVsbA==|a===|-_-_|+/+/|+14155552671|+04155552671|+1234567|14155552671
eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_-|a.b.c|a.b
2024-02-29|2023-02-29|2000-02-29|1900-02-29|2024-13-01|2024-04-31|2024-12-31|23:59|23:59:59|23:59:59.123|24:00:00|12:00:00.1234567
2024-02-29T12:00:00Z|2024-02-29T12:00:00.123Z|2024-02-29T12:00:00+02:00|2024-02-29T12:00:00+25:00|2024-02-29T12:00|2024-02-29T12:00:00|2024-02-30T12:00:00Z|2024-02-29 12:00:00Z
P1Y|P1Y2M3DT4H5M6S|P3W|P3W1D|P|PT|P1DT|PT0.5S|PT1,5S|P1YW|PT1H|-P1Y|+P1Y-2M|P1.5Y|P1.5W|PT36H|P1M|P-1DT-1.5S|P1W2D
d41d8cd98f00b204e9800998ecf8427e|da39a3ee5e6b4b0d3255bfef95601890afd80709|e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855|38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b|cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e
1B2M2Y8AsgTpgAmY7PhCfg==|1B2M2Y8AsgTpgAmY7PhCfg|2jmj7l5rSw0yVb/vlWAYkK/YBwk=|2jmj7l5rSw0yVb_vlWAYkK_YBwk|47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=|47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU
OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb|OLBgp1GsljhM2TJ-sbHjaiH9txEUvgdDTAzHv2P24donTt6_529l-9Ua0vFImLlb|z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==|z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg_SpIdNs6c5H0NE8XYXysP-DGNKHfuwvY7kxvUdBeoGlODJ6-SfaPg
abc|ABC|ab_12|aBc|ABC-1|a.b/c-def|a.b/c|end(x)^$|(x)^$x|a[1|2]b|a1b|xxxb|bxx|v1.5-a|v-2-b+ and more|v1-c|__a|a__b
4111 1111 1111 1111|4111-1111-1111-1111|41111111111|USD|XXX|ABCD|GB82WEST12345698765432|GB00WEST12345698765432|DE89370400440532013000
12n|-12|12.5|-0.00|.5|5.|-|+|--|1e5|001.50|12345.678|true|null|undefined|0|00|+0.10|.|-.|999.99|1000.00|٣
Passw0rd|password1|PASSW0RD|Pw0|a-b|a--b|a-|$12.50|€7|7|$123|x <b>y|<b>|</b>|<i>|con|con.txt|conf|aux.|file. |file
`;
const strings = new Set(["", " ", "\n", "a\n", "a\u2028", "x".repeat(254), `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(61)}`, `${"a".repeat(64)}.com`, "\u{1F9B0}".repeat(40), "1".repeat(40) + "!"]);
for (const line of seeds.trim().split("\n")) line.replaceAll("[1|2]", "[1\x002]").split("|").forEach((text) => strings.add(text.replaceAll("\0", "|")));
const regexes = [...found.keys()].map((pattern) => {
    try {
        return new RegExp(pattern, "u");
    } catch {
        // What is an error with Unicode only: a bracket or an escape that needs none.
        return new RegExp(pattern);
    }
});
// What is next to a match, which a pattern that is read too widely would still match.
for (const regex of regexes) {
    const near = [...strings].find((text) => text && text.length < 80 && regex.test(text));
    if (near === undefined) continue;
    const [first, ...rest] = near;
    for (const text of [near + "\n", rest.join(""), first + near, [...near].slice(0, -1).join(""), `${near}-`, `.${near}`]) strings.add(text);
}
const all = [...strings];
const patterns = [...found].map(([pattern, name], at) => ({ from: name, pattern, matches: all.flatMap((text, place) => (regexes[at].test(text) ? [place] : [])) }));
for (const { from, pattern, matches } of patterns) if (matches.length === 0 || (matches.length === all.length)) console.log("one-sided", from, pattern, matches.length);
const lines = (items) => `[\n${items.map((item) => JSON.stringify(item)).join(",\n")}\n]`;
writeFileSync(new URL("table.json", import.meta.url), `{"strings": ${lines(all)},\n"patterns": ${lines(patterns)}}\n`);
console.log(patterns.length, "patterns,", all.length, "strings; zod", JSON.parse(readFileSync("node_modules/zod/package.json")).version, "node", process.version);
