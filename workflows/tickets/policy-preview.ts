import { z } from 'zod';
import type { Clock } from './clocks.ts';
import { slaTargets } from './policy.ts';

/** What a change of policy would do to one clock: breach it, take its breach back, move it, begin or end it. */
export const clockEffects = ['breached', 'unbreached', 'moved', 'begun', 'cancelled'] as const;

const clockEffectSchema = z.object({
  target: z.enum(slaTargets),
  ordinal: z.int(),
  effect: z.enum(clockEffects),
  /** Null while it stands still (a change that will move it then is one, too), and where there is no such clock. */
  dueFrom: z.iso.datetime().nullable(),
  dueTo: z.iso.datetime().nullable(),
  /** Minutes as they pass, later is positive; null where one of the two is null. */
  movedMinutes: z.number().nullable(),
});

/** Answer of `POST /crm/v1/sla-policies/{id}/preview-change`. */
export const policyPreview = z.object({
  /** Version of the policy that was looked at. */
  version: z.int(),
  openTickets: z.int().describe('Open tickets that this policy was chosen for; each was looked at.'),
  affectedTickets: z.int().describe('How many of them have a clock that would not stay as it is.'),
  /** Over all open tickets. */
  effects: z.object(
    Object.fromEntries(clockEffects.map((effect) => [effect, z.int()])) as Record<
      (typeof clockEffects)[number],
      z.ZodInt
    >,
  ),
  waitsEnded: z
    .int()
    .describe('Open tickets that have waited too long by then: they would be resolved, or open again, at once.'),
  tickets: z
    .array(z.object({ ticketId: z.uuid(), number: z.int(), clocks: z.array(clockEffectSchema) }))
    .describe(
      'The most affected ones, at most 1,000: by clocks that would breach, then by how far a clock would move.',
    ),
  ticketsLeftOut: z.int().describe('How many affected tickets are counted, but not listed.'),
});
export type PolicyPreview = z.output<typeof policyPreview>;
export type ClockEffect = z.output<typeof clockEffectSchema>;

/** What has become of the clocks of one ticket at the instant `at`; clocks that stay as they are, are left out. */
export function clockEffectsOf(before: readonly Clock[], after: readonly Clock[], at: Date): ClockEffect[] {
  const known = new Map(before.map((clock) => [clock.id, clock]));
  return after.flatMap((clock) => {
    const old = known.get(clock.id);
    const effect = effectOn(old, clock, at);
    if (!effect) return [];
    const [dueFrom, dueTo] = [old?.dueAt ?? null, clock.dueAt];
    const movedMinutes = dueFrom && dueTo ? (dueTo.getTime() - dueFrom.getTime()) / 60_000 : null;
    const { target, ordinal } = clock;
    return [
      {
        target,
        ordinal,
        effect,
        dueFrom: dueFrom?.toISOString() ?? null,
        dueTo: dueTo?.toISOString() ?? null,
        movedMinutes,
      },
    ];
  });
}

function effectOn(old: Clock | undefined, clock: Clock, at: Date): ClockEffect['effect'] | null {
  if (!old || old.endedAt !== null) {
    if (clock.endedAt !== null) return null;
    return isLate(clock, at) && !old?.breached ? 'breached' : 'begun';
  }
  if (clock.state === 'cancelled') return 'cancelled';
  const [was, is] = [isLate(old, at), isLate(clock, at)];
  if (was !== is) return is ? 'breached' : 'unbreached';
  if (old.dueAt?.getTime() !== clock.dueAt?.getTime()) return 'moved';
  return clock.dueAt === null && countsOtherwise(old, clock) ? 'moved' : null;
}

/** Whether a clock that stands still will be due at another instant once it runs on. */
function countsOtherwise(old: Clock, clock: Clock): boolean {
  return old.targetMinutes !== clock.targetMinutes || old.calendarId !== clock.calendarId;
}

type AffectedTicket = PolicyPreview['tickets'][number];

/** Sums up what a change does to one ticket after the other; however many they are, it holds only those that are listed. */
export class PreviewSummary {
  private readonly version: number;
  private readonly mostListed: number;
  private readonly effects = Object.fromEntries(clockEffects.map((effect) => [effect, 0])) as PolicyPreview['effects'];
  private openTickets = 0;
  private affectedTickets = 0;
  private waitsEnded = 0;
  private listed: AffectedTicket[] = [];

  constructor(version: number, mostListed: number) {
    this.version = version;
    this.mostListed = mostListed;
  }

  /** Counts an open ticket with what becomes of its clocks, and whether its wait for somebody is over at once. */
  add({ id: ticketId, number }: { id: string; number: number }, clocks: ClockEffect[], endsWait: boolean): void {
    this.openTickets += 1;
    if (endsWait) this.waitsEnded += 1;
    if (clocks.length === 0) return;
    this.affectedTickets += 1;
    for (const { effect } of clocks) this.effects[effect] += 1;
    this.listed.push({ ticketId, number, clocks });
    if (this.listed.length >= 2 * this.mostListed) this.keepMostAffected();
  }

  preview(): PolicyPreview {
    this.keepMostAffected();
    const { version, openTickets, affectedTickets, effects, waitsEnded, listed: tickets } = this;
    return {
      version,
      openTickets,
      affectedTickets,
      effects,
      waitsEnded,
      tickets,
      ticketsLeftOut: affectedTickets - tickets.length,
    };
  }

  private keepMostAffected(): void {
    this.listed = this.listed.toSorted(moreAffected).slice(0, this.mostListed);
  }
}

function moreAffected(one: AffectedTicket, other: AffectedTicket): number {
  const breaches = ({ clocks }: AffectedTicket) => clocks.filter(({ effect }) => effect === 'breached').length;
  const distance = ({ clocks }: AffectedTicket) =>
    Math.max(...clocks.map(({ movedMinutes }) => Math.abs(movedMinutes ?? 0)));
  return breaches(other) - breaches(one) || distance(other) - distance(one) || one.number - other.number;
}

const isLate = ({ breached, dueAt }: Clock, at: Date): boolean => breached || (dueAt !== null && dueAt <= at);
