/** A failure that is the user's to mend: its message is all they need, and the exit code says what kind it is. */
export class CommandFailed extends Error {
  override name = 'CommandFailed';
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What a command answers: on standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What a command answers under `--json`: one document on standard output. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** What goes on meanwhile: on standard error, so that it never mixes with the answer. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Two or more columns, aligned. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, column) => Math.max(cell.length, known[column] ?? 0)),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
