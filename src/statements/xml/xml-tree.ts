/** One element with what is in it. Names are local: the prefix that a bank likes is gone. */
export interface XmlNode {
  readonly name: string;
  /** All character data directly inside, as sent. */
  text: string;
  readonly children: XmlNode[];
  /** `Ccy` of an amount: the only attribute that these messages have. */
  readonly currency: string | undefined;
  /** Where its start tag ends, from 1. */
  readonly line: number;
  readonly column: number;
}

export function childOf(node: XmlNode | undefined, name: string): XmlNode | undefined {
  if (node !== undefined) for (const child of node.children) if (child.name === name) return child;
  return undefined;
}

export function childrenOf(node: XmlNode | undefined, name: string): XmlNode[] {
  return node === undefined ? [] : node.children.filter((child) => child.name === name);
}

/** The first element at the path of names. */
export function at(node: XmlNode | undefined, ...path: readonly string[]): XmlNode | undefined {
  let found = node;
  for (const name of path) found = childOf(found, name);
  return found;
}

/** Its text as sent; undefined where it is absent or nothing but white space. */
export function textAt(node: XmlNode | undefined, ...path: readonly string[]): string | undefined {
  const text = at(node, ...path)?.text;
  return text === undefined || text.trim() === '' ? undefined : text;
}

/** A code, a number or a date: white space around it means nothing. */
export function codeAt(node: XmlNode | undefined, ...path: readonly string[]): string | undefined {
  return textAt(node, ...path)?.trim();
}
