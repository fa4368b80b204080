import { z } from 'zod';
import type { Permission } from '../access/permissions.ts';
import { complaint } from '../text/complaints.ts';

/** One message of a process, declared once; every surface (workflow, REST, docs) is made from it. */
export interface Message<P extends z.ZodObject = z.ZodObject, S extends string = string> {
  /** One line that says what it does. */
  readonly summary: string;
  readonly payload: P;
  readonly permission: Permission;
  /** Stages of the process in which it is legal. */
  readonly stages: readonly S[];
  /** Payload fields with personal data or free text: they stay in the command ledger and never travel to Temporal. */
  readonly kept?: readonly string[];
  /** Payload fields that name another record of the process, which changes, too: the sender needs to be allowed to work on it. */
  readonly alsoChanges?: readonly string[];
  /**
   * Property of the record that names what it is part of. It leaves that, and whatever that is part of in turn; all of them
   * change, so the sender needs to be allowed to work on them.
   */
  readonly leaves?: string;
  /** Legal in a final stage: sending it starts a new run of the closed process. */
  readonly reopens?: true;
}

/** Declares a message; its payload type is inferred from the schema, and only fields of the payload can be named. */
export function message<P extends z.ZodObject, const S extends string>(
  declaration: Message<P, S> &
    Readonly<Partial<Record<'kept' | 'alsoChanges', readonly (keyof P['shape'] & string)[]>>>,
): Message<P, S> {
  return declaration;
}

/** A signal from inside the product (another process, an activity): no permission, no stage, no route. */
export interface InternalSignal<P extends z.ZodObject = z.ZodObject> {
  readonly summary: string;
  readonly payload: P;
}

export interface Process<
  S extends string = string,
  M extends Readonly<Record<string, Message<z.ZodObject, S>>> = Readonly<Record<string, Message<z.ZodObject, S>>>,
  I extends Readonly<Record<string, InternalSignal>> = Readonly<Record<string, InternalSignal>>,
> {
  readonly name: string;
  readonly workflowType: string;
  /** The Update that goes with the start and answers with the outcome of the first decision. */
  readonly startUpdate: string;
  /** Plural kebab-case route of the records it runs on: `/crm/v1/{path}/{id}/{message}`. */
  readonly path: string;
  readonly workflowId: (recordId: string) => string;
  readonly stages: readonly S[];
  readonly finalStages: readonly NoInfer<S>[];
  readonly messages: M;
  readonly signals: I;
}

/** Declares a process. Throws when a declaration contradicts itself, at load time, so that no build can carry it. */
export function defineProcess<
  const S extends string,
  const M extends Readonly<Record<string, Message<z.ZodObject, NoInfer<S>>>>,
  const I extends Readonly<Record<string, InternalSignal>>,
>(process: Process<S, M, I>): Process<S, M, I> {
  for (const [name, { stages, reopens }] of Object.entries<Message<z.ZodObject, S>>(process.messages)) {
    if (name in process.signals) throw new Error(`${process.name}.${name} is both a message and an internal signal.`);
    const final = stages.find((stage) => process.finalStages.includes(stage));
    if (final && !reopens)
      throw new Error(`${process.name}.${name} is legal in the final stage "${final}" without reopening it.`);
  }
  // Frozen, a declaration shields its schema (which completes itself when first used) from the deep freeze of preload.ts.
  for (const declaration of [...Object.values(process.messages), ...Object.values(process.signals)])
    Object.freeze(declaration);
  return process;
}

/** Names of the messages of a process. */
export type MessageName<P extends Process> = keyof P['messages'] & string;

/** What a caller sends with a message, kept fields included. */
export type PayloadOf<P extends Process, N extends MessageName<P>> = z.output<P['messages'][N]['payload']>;

/** The part of a payload that goes to Temporal with a stored command: everything but its kept fields. */
export function travellingSchema({ payload, kept = [] }: Message): z.ZodObject {
  return z.strictObject(Object.fromEntries(Object.entries(payload.shape).filter(([field]) => !kept.includes(field))));
}

/**
 * Splits the body of a command: `travels` goes to Temporal, `kept` stays in the ledger; so does what is no part of the
 * payload but came along with it (the mail behind a customer's reply).
 */
export function splitPayload(
  { payload: { shape }, kept = [] }: Message,
  body: Readonly<Record<string, unknown>>,
): { travels: Record<string, unknown>; kept: Record<string, unknown> } {
  const goes = ([name]: [string, unknown]) => Object.hasOwn(shape, name) && !kept.includes(name);
  const entries = Object.entries(body);
  return {
    travels: Object.fromEntries(entries.filter(goes)),
    kept: Object.fromEntries(entries.filter((entry) => !goes(entry))),
  };
}

/** A message as people and documents see it; `schema` is JSON Schema of the whole payload. */
export interface MessageDescription {
  readonly name: string;
  readonly summary: string;
  readonly permission: Permission;
  readonly reopens: boolean;
  readonly schema: object;
}

/** Describes a message of a process; throws on a name that the process does not declare. */
export function describeMessage(process: Process, name: string): MessageDescription {
  const declared = process.messages[name];
  if (!declared) throw new Error(`The process ${process.name} has no message "${name}".`);
  return {
    name,
    summary: declared.summary,
    permission: declared.permission,
    reopens: declared.reopens === true,
    schema: z.toJSONSchema(declared.payload, { io: 'input' }),
  };
}

/** The messages that are legal in a stage, in the order of their declaration. */
export function legalMessages(process: Process, stage: string): MessageDescription[] {
  return Object.entries(process.messages)
    .filter(([, { stages }]) => stages.includes(stage))
    .map(([name]) => describeMessage(process, name));
}

/** Why a message is refused: a problem code, a sentence for people, and the wrong places of the payload. */
export interface Refusal {
  readonly code: 'invalid' | 'illegal_stage';
  readonly message: string;
  readonly errors: readonly { readonly path: string; readonly message: string }[];
}

/** The refusal of a message in a stage, or null. A stage that is not known yet refuses nothing. */
export function stageRefusal(process: Process, name: string, stage: string | undefined): Refusal | null {
  const stages = process.messages[name]?.stages ?? [];
  if (stage === undefined || stages.includes(stage)) return null;
  const when = stages.map((legal) => `"${legal}"`).join(' or ');
  return {
    code: 'illegal_stage',
    message: `${name} is legal while the ${process.name} is ${when}; it is "${stage}".`,
    errors: [],
  };
}

/** The refusal of a payload by its schema, or the parsed payload. */
export function parsePayload<P extends z.ZodObject>(
  name: string,
  schema: P,
  payload: unknown,
): { payload: z.output<P> } | { refusal: Refusal } {
  const parsed = schema.safeParse(payload ?? {}, { error: complaint });
  if (parsed.success) return { payload: parsed.data };
  const errors = parsed.error.issues.map((issue) => ({
    path: issue.path.map(String).join('.'),
    message: issue.message,
  }));
  const what = errors.map(({ path, message: text }) => (path ? `${path}: ${text}` : text)).join('; ');
  return { refusal: { code: 'invalid', message: `The payload of ${name} is not valid. ${what}`, errors } };
}
