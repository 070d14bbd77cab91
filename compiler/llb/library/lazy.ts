// Values that are there at once, or only once somebody outside has been asked, which happens when a state is marshalled.
import type { Platform } from "../../graph/vertex.ts";

/** What marshalling knows and a resolver may need. */
export interface ResolveContext {
  /** The platform that the Definition is for. */
  readonly platform: Platform;
}

/** Either `ready`, or made of other lazy values and the answer of a resolver. */
export type Lazy<T> = Ready<T> | Pending<T>;
interface Ready<T> {
  readonly ready: true;
  readonly value: T;
}
interface Pending<T> {
  readonly ready: false;
  readonly needs: readonly Lazy<unknown>[];
  make(values: readonly unknown[], context: ResolveContext): T | Promise<T>;
}

export function ready<T>(value: T): Lazy<T> {
  return { ready: true, value };
}

type Lazies<T extends readonly unknown[]> = { readonly [K in keyof T]: Lazy<T[K]> };

/** What `make` gives for the values of `parts`: at once when they are all there. */
export function combine<T extends readonly unknown[], R>(parts: Lazies<T>, make: (...values: T) => R): Lazy<R> {
  if (parts.every((part) => part.ready)) return ready(make(...(parts.map((part) => readyValue(part)) as unknown as T)));
  return { ready: false, needs: parts, make: (values) => make(...(values as unknown as T)) };
}

/** What `ask` answers when the state is marshalled: once per marshalling, however often it is used. */
export function later<T, R>(part: Lazy<T>, ask: (value: T, context: ResolveContext) => Promise<R>): Lazy<R> {
  return { ready: false, needs: [part], make: ([value], context) => ask(value as T, context) };
}

/** What was asked already, by the object that stands for one marshalling. */
const asked = new WeakMap<ResolveContext, Map<Lazy<unknown>, Promise<unknown>>>();

/**
 * Asks for all that `lazy` needs, at the same time where nothing waits for another; rejects as the first one does. The same context asks
 * for nothing twice.
 */
export async function resolve<T>(lazy: Lazy<T>, context: ResolveContext): Promise<T> {
  if (lazy.ready) return lazy.value;
  const promises = asked.get(context) ?? new Map<Lazy<unknown>, Promise<unknown>>();
  asked.set(context, promises);
  for (const part of pendingParts(lazy)) {
    if (promises.has(part)) continue;
    const values = part.needs.map((need) => (need.ready ? need.value : promises.get(need)));
    promises.set(
      part,
      Promise.all(values).then((all) => part.make(all, context)),
    );
  }
  return (await promises.get(lazy)) as T;
}

/** Every pending part once, after those that it needs. On a stack of our own: chains may be long. */
function pendingParts(root: Pending<unknown>): Pending<unknown>[] {
  const order: Pending<unknown>[] = [];
  const seen = new Set<Lazy<unknown>>([root]);
  const stack = [{ part: root, next: 0 }];
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const need = frame.part.needs[frame.next++];
    if (need === undefined) {
      order.push(frame.part);
      stack.pop();
    } else if (!need.ready && !seen.has(need)) {
      seen.add(need);
      stack.push({ part: need, next: 0 });
    }
  }
  return order;
}

function readyValue(lazy: Lazy<unknown>): unknown {
  return lazy.ready ? lazy.value : undefined;
}
