import type { RowTrigger } from './entity.ts';

interface OpenCounter {
  name: string;
  /** Column of `crm_users` that counts. */
  counter: string;
  /** SQL over the columns of the row: it counts for its assignee. */
  isOpen: string;
}

/**
 * A trigger that counts the open rows of each assignee in `crm_users`: what every assignment asks for must not be
 * counted anew each time.
 */
export function openCounter({ name, counter, isOpen }: OpenCounter): RowTrigger {
  const open = (row: 'old' | 'new') =>
    `(${isOpen.replaceAll(/\b(stage|status)\b/g, `${row}.$1`)} and ${row}.deleted_at is null)`;
  const count = (by: '+' | '-', row: 'old' | 'new') =>
    `if ${open(row)} then update crm_core.crm_users set ${counter} = ${counter} ${by} 1 where user_id = ${row}.assigned_user_id; end if;`;
  const body = [
    `if tg_op = 'UPDATE' and ${open('old')} = ${open('new')} and old.assigned_user_id is not distinct from new.assigned_user_id then return null; end if;`,
    `if tg_op <> 'INSERT' then ${count('-', 'old')} end if;`,
    `if tg_op <> 'DELETE' then ${count('+', 'new')} end if;`,
    'return null;',
  ].join(' ');
  return { name, timing: 'after', events: ['insert', 'update', 'delete'], body };
}
