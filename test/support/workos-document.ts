/** WorkOS's own OpenAPI document, and whether a request to the local AuthKit and its answer are as it says. */
import { dereference, type Schema, validate } from '@cfworker/json-schema';
import text from '@workos/openapi-spec/spec?raw';
import { parse } from 'yaml';
import { z } from 'zod';

const schema = z.custom<Schema>((value) => typeof value === 'object' && value !== null);
const content = z.object({ 'application/json': z.object({ schema }).optional() }).optional();
const operation = z.object({
  parameters: z.array(z.object({ name: z.string(), in: z.string(), required: z.boolean(), schema })).default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ content })),
});
type Operation = z.infer<typeof operation>;

/** Examples would be taken for schemas. */
const source: unknown = parse(text, (key, value: unknown) => (/^examples?$/.test(String(key)) ? undefined : value), {
  uniqueKeys: false,
});
const lookup = dereference(schema.parse(source));
const { paths } = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) }).parse(source);

export type Exchange = {
  method: string;
  url: URL;
  sent: unknown;
  status: number;
  location: string | null;
  answered: unknown;
};

/** The path of the document that a request is for. */
function pathOf({ pathname }: URL): string | undefined {
  const fits = (path: string) => new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(pathname);
  return Object.keys(paths).findLast(fits);
}

/** Such as `get /events 200`. */
export function nameOf({ method, url, status }: Exchange): string {
  return `${method} ${pathOf(url)} ${status}`;
}

function operationAt(method: string, path: string | undefined): Operation | undefined {
  const found = path === undefined ? undefined : paths[path]?.[method];
  return found === undefined ? undefined : operation.parse(found);
}

function valid(value: unknown, against: Schema): string[] {
  const { errors } = validate(value, against, '2020-12', lookup, false);
  return errors.map(({ instanceLocation, error }) => `${instanceLocation} ${error}`);
}

/** The SDK sends `max_age` and WorkOS's guides describe it; the document leaves it out. */
const LEFT_OUT = new Set(['max_age']);

function faultsOfQuery(url: URL, { parameters }: Operation): string[] {
  const known = parameters.filter((parameter) => parameter.in === 'query');
  const missing = known.filter(({ name, required }) => required && !url.searchParams.has(name));
  const found = [...url.searchParams].flatMap(([name, value]) => {
    const parameter = known.find((each) => each.name === name);
    if (!parameter) return LEFT_OUT.has(name) ? [] : [`no parameter ${name}`];
    const { type } = parameter.schema;
    return valid(type === 'array' ? value.split(',') : type === 'integer' ? Number(value) : value, parameter.schema);
  });
  return [...missing.map(({ name }) => `without ${name}`), ...found];
}

/** What the document does not allow in this request or this answer. */
export function faultsOf(exchange: Exchange): string[] {
  const { method, url, sent, status, location, answered } = exchange;
  const known = operationAt(method, pathOf(url));
  if (!known) return [`${method} ${url.pathname} is not in the document`];
  const body = known.requestBody?.content?.['application/json']?.schema;
  const answer = known.responses[status]?.content?.['application/json']?.schema;
  return [
    ...faultsOfQuery(url, known),
    ...(body && status !== 400 ? valid(sent, body) : []),
    // It leaves out what every operation answers to a wrong key.
    ...(known.responses[status] || status === 401 ? [] : ['the status is not in the document']),
    ...(answer ? valid(answered, answer) : []),
    ...(status === 302 && !location ? ['without a Location'] : []),
  ].map((fault) => `${nameOf(exchange)}: ${fault}`);
}

export type Answer = { status: number; body: Record<string, unknown> };

/** An answer of each kind that the document has for an operation that does not succeed. */
export function refusalsOf(method: string, path: string): Answer[] {
  const { responses = {} } = operationAt(method, path) ?? {};
  return Object.entries(responses).flatMap(([status, response]) => {
    const kinds = alternatives(response.content?.['application/json']?.schema);
    return Number(status) < 400 ? [] : kinds.map((kind) => ({ status: Number(status), body: sampleOf(kind) }));
  });
}

function alternatives(kind: Schema = {}): Schema[] {
  return kind.oneOf ? z.array(schema).parse(kind.oneOf).flatMap(alternatives) : [kind];
}

function sampleOf({ allOf, properties = {} }: Schema): Record<string, unknown> {
  const own = Object.entries(z.record(z.string(), schema).parse(properties)).map(([name, { const: value, type }]) => [
    name,
    value ?? (type === 'array' ? ['any'] : 'any'),
  ]);
  const parts = z.array(schema).default([]).parse(allOf).map(sampleOf);
  return Object.assign({}, ...parts, Object.fromEntries(own)) as Record<string, unknown>;
}
