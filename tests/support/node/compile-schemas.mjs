// Compile every schema of an OpenAPI 3.1 or AsyncAPI 3 document as a strict validator does: JSON Schema 2020-12, regular
// expressions in Unicode mode. Every example must be valid against its schema.
// usage: node compile-schemas.mjs openapi.json; prints what was counted, or each fault, which ends it with 1.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const Ajv = require("ajv/dist/2020").default;
const addFormats = require("ajv-formats").default;

const document = JSON.parse(readFileSync(process.argv[2], "utf8"));
const ajv = new Ajv({ strict: true, unicodeRegExp: true, allErrors: true });
addFormats(ajv);

const faults = [];
let schemas = 0;
let examples = 0;

// References lead to the schemas by their names alone.
function named(schema) {
  return JSON.parse(
    JSON.stringify(schema, (key, value) => (key === "$ref" ? value.replace("#/components/schemas/", "") : value)),
  );
}

for (const [name, schema] of Object.entries(document.components.schemas)) ajv.addSchema(named(schema), name);

function check(where, schema, values) {
  let validate;
  try {
    validate = ajv.compile(named(schema));
    schemas += 1;
  } catch (error) {
    faults.push(`${where}: ${error.message}`);
    return;
  }
  for (const value of values) {
    examples += 1;
    if (!validate(value)) faults.push(`${where}: ${JSON.stringify(value)}: ${ajv.errorsText(validate.errors)}`);
  }
}

function checkContent(where, content = {}) {
  for (const [type, each] of Object.entries(content)) {
    check(`${where} ${type}`, each.schema, Object.values(each.examples ?? {}).map((example) => example.value));
  }
}

for (const name of Object.keys(document.components.schemas)) {
  check(name, { $ref: `#/components/schemas/${name}` }, []);
}
for (const [name, message] of Object.entries(document.components.messages ?? {})) {
  check(name, message.payload, (message.examples ?? []).map((example) => example.payload));
}
for (const [path, methods] of Object.entries(document.paths ?? {})) {
  for (const [method, operation] of Object.entries(methods)) {
    const where = `${method} ${path}`;
    for (const each of operation.parameters ?? []) {
      check(`${where} ${each.name}`, each.schema, "example" in each ? [each.example] : []);
    }
    checkContent(where, operation.requestBody?.content);
    for (const [status, reply] of Object.entries(operation.responses)) {
      checkContent(`${where} ${status}`, reply.content);
    }
  }
}

console.log(faults.length ? faults.join("\n") : `${schemas} schemas, ${examples} examples`);
process.exitCode = faults.length ? 1 : 0;
