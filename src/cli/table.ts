/** A table for people: columns as wide as their widest cell, two spaces between them. */
export interface Column {
  readonly title: string;
  /** Numbers go right, so that their digits stand below each other. */
  readonly align?: 'right';
}

export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const all = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, index) => Math.max(...all.map((row) => (row[index] ?? '').length)));
  return all.map((row) =>
    columns
      .map(({ align }, index) => {
        const cell = row[index] ?? '';
        return align === 'right' ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Names and values below each other; pairs without a value are left out. */
export function fieldLines(fields: readonly (readonly [name: string, value: string | undefined])[]): string[] {
  const present = fields.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...present.map(([name]) => name.length));
  return present.map(([name, value]) => `${name.padEnd(width)}  ${value ?? ''}`);
}
