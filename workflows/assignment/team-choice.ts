import { type Attendance, isAway } from './absence.ts';
import type { AssignmentStrategy } from './rules.ts';

/** A person in a team as assignment sees them; instants are ISO 8601. */
export interface TeamMember extends Attendance {
  userId: string;
  name?: string;
  /** Breaks ties, lowest first. */
  position: number;
  active: boolean;
  /** Nobody lets them in, so that they could do nothing with what they are given. */
  suspended: boolean;
  skills: readonly string[];
  /** Most open at once of what is assigned: leads, or tickets. */
  capacity: number;
  openCount: number;
  /** Most assigned on one local day; null: no limit. */
  dailyQuota: number | null;
  assignedToday: number;
  weight: number;
  /** The team's running number when this member last had a turn; null: never. */
  lastTurn: number | null;
  /** Each turn adds 1 / weight: who weighs twice as much has two turns while others have one. */
  weightedTurns: number;
}

export interface Team {
  id: string;
  name: string;
  fallbackUserId: string | null;
  members: TeamMember[];
}

/** Why somebody was passed over. */
type PassedOverCode =
  | 'inactive'
  | 'suspended'
  | 'lacks_skill'
  | 'previous_owner'
  | 'out_of_office'
  | 'at_capacity'
  | 'quota_reached'
  | 'outside_hours'
  | 'not_their_turn'
  | 'not_in_a_team';

/** One person who was thought of, and why they were chosen or passed over. */
export interface Candidate {
  userId: string;
  teamId: string | null;
  outcome: 'chosen' | 'passed_over';
  reason: string;
  code: 'chosen' | PassedOverCode;
}

interface Obstacle {
  code: PassedOverCode;
  reason: string;
}

/** What holds for one decision: what is assigned, when, who is barred from it, and everybody who may stand in. */
export interface Circumstances {
  /** In words: `lead`. */
  subject: string;
  requiredSkills: readonly string[];
  at: string;
  excludeUserIds: readonly string[];
  everybody: ReadonlyMap<string, TeamMember>;
}

/** A place in a team's order; `holder` is its member or, while they are away, their delegate. */
interface Seat {
  member: TeamMember;
  holder: TeamMember;
}

const instant = (text: string) => Date.parse(text);
const isOpen = (member: TeamMember, at: string) => member.opensAt !== null && instant(member.opensAt) <= instant(at);

/**
 * Why a person cannot be given it, whatever the hour; null when they can. An absence comes before a turn that they had:
 * their delegate has had none.
 */
export function obstacleOf(
  member: TeamMember,
  { subject, at, excludeUserIds, requiredSkills }: Circumstances,
): Obstacle | null {
  const { userId, active, suspended, skills, capacity, openCount, dailyQuota, assignedToday, outOfOffice } = member;
  if (!active) return { code: 'inactive', reason: 'is not active' };
  if (suspended) return { code: 'suspended', reason: 'is suspended' };
  const lacking = requiredSkills.filter((skill) => !skills.includes(skill));
  if (lacking.length > 0)
    return { code: 'lacks_skill', reason: `lacks ${lacking.map((skill) => `"${skill}"`).join(', ')}` };
  if (isAway(member, at)) {
    return { code: 'out_of_office', reason: `is out of office until ${outOfOffice?.until ?? 'further notice'}` };
  }
  if (excludeUserIds.includes(userId))
    return { code: 'previous_owner', reason: `has had this ${subject}, which is to go to somebody else` };
  if (openCount >= capacity)
    return { code: 'at_capacity', reason: `has ${openCount} of at most ${capacity} open ${subject}s` };
  if (dailyQuota !== null && assignedToday >= dailyQuota) {
    return { code: 'quota_reached', reason: `got ${assignedToday} of at most ${dailyQuota} ${subject}s today` };
  }
  return null;
}

/** Who holds a member's place: they themselves, the delegate of one who is away, or nobody, and then why. */
export function seatOf(
  member: TeamMember,
  circumstances: Circumstances,
): { seat: Seat | null; obstacle: Obstacle | null } {
  const obstacle = obstacleOf(member, circumstances);
  if (obstacle === null) return { seat: { member, holder: member }, obstacle };
  const delegateUserId = obstacle.code === 'out_of_office' ? member.outOfOffice?.delegateUserId : null;
  if (!delegateUserId) return { seat: null, obstacle };
  const delegate = circumstances.everybody.get(delegateUserId);
  if (!delegate)
    return { seat: null, obstacle: { ...obstacle, reason: `${obstacle.reason}; the delegate is in no team` } };
  const hindrance = obstacleOf(delegate, circumstances);
  const standIn = delegate.name ?? delegate.userId;
  return {
    seat: hindrance ? null : { member, holder: delegate },
    obstacle: { ...obstacle, reason: `${obstacle.reason}; ${standIn} ${hindrance ? hindrance.reason : 'stands in'}` },
  };
}

const load = ({ openCount, capacity }: TeamMember) => openCount / capacity;
const lastTurn = ({ lastTurn: turn }: TeamMember) => turn ?? -1;
const ascending = (a: number, b: number) => (a === b ? 0 : a - b);

const before: Record<AssignmentStrategy, (a: Seat, b: Seat) => number> = {
  round_robin: (a, b) => ascending(lastTurn(a.member), lastTurn(b.member)),
  least_loaded: (a, b) =>
    ascending(load(a.holder), load(b.holder)) ||
    ascending(a.holder.openCount, b.holder.openCount) ||
    ascending(lastTurn(a.member), lastTurn(b.member)),
  weighted: (a, b) =>
    ascending(a.member.weightedTurns, b.member.weightedTurns) || ascending(lastTurn(a.member), lastTurn(b.member)),
};

const standing: Record<AssignmentStrategy, (seat: Seat) => string> = {
  round_robin: ({ member }) =>
    member.lastTurn === null ? 'never had a turn' : `last turn was number ${member.lastTurn}`,
  least_loaded: ({ holder }) => `${holder.openCount} of at most ${holder.capacity} open`,
  weighted: ({ member }) =>
    `${Number(member.weightedTurns.toFixed(2))} turns for a unit of weight, weight ${member.weight}`,
};

/** The members with a newcomer, or one who was away, at the place of the latest turn: they make up for no time before. */
function inStep(members: readonly TeamMember[]): TeamMember[] {
  const latest = members.reduce<TeamMember | null>((a, b) => (a && lastTurn(a) >= lastTurn(b) ? a : b), null);
  const reached = latest && latest.lastTurn !== null ? latest.weightedTurns - 1 / latest.weight : 0;
  return members.map((member) => ({ ...member, weightedTurns: Math.max(member.weightedTurns, reached) }));
}

/**
 * Chooses within one team: whoever is next by the strategy among those who are open and have room, else whoever of
 * those with room starts next, else nobody. Every member is explained once, whoever stands in for one as well.
 */
export function chooseInTeam(
  team: Team,
  strategy: AssignmentStrategy,
  circumstances: Circumstances,
): { seat: Seat | null; candidates: Candidate[] } {
  const { at } = circumstances;
  const members = inStep(team.members).toSorted((a, b) => a.position - b.position || (a.userId < b.userId ? -1 : 1));
  const places = members.map((member) => ({ member, ...seatOf(member, circumstances) }));
  const seats = places.flatMap(({ seat }) => seat ?? []);
  const open = seats.filter(({ holder }) => isOpen(holder, at));
  const opening = ({ holder }: Seat) => (holder.opensAt === null ? Infinity : instant(holder.opensAt));
  const ranked =
    open.length > 0
      ? open.toSorted(before[strategy])
      : seats.toSorted((a, b) => ascending(opening(a), opening(b)) || before[strategy](a, b));
  const chosen = ranked[0] ?? null;

  const passedOver = (seat: Seat): Obstacle => {
    const starts = seat.holder.opensAt ? `starts at ${seat.holder.opensAt}` : 'has no working hours in sight';
    if (!isOpen(seat.holder, at)) return { code: 'outside_hours', reason: `is outside working hours, ${starts}` };
    return { code: 'not_their_turn', reason: `comes later by ${strategy}: ${standing[strategy](seat)}` };
  };

  const explained = (userId: string, obstacle: Obstacle | null, seat: Seat | null): Candidate => {
    const about = { userId, teamId: team.id };
    if (chosen?.holder.userId === userId)
      return { ...about, outcome: 'chosen', code: 'chosen', reason: whyChosen(chosen) };
    const why = obstacle ?? (seat ? passedOver(seat) : null);
    if (!why) throw new Error(`Member ${userId} has neither a place in the team nor an obstacle.`);
    return { ...about, outcome: 'passed_over', ...why };
  };

  function whyChosen({ member, holder }: Seat): string {
    const next = `is next by ${strategy}: ${standing[strategy]({ member, holder })}`;
    const instead = member === holder ? '' : `stands in for ${member.name ?? member.userId}, who `;
    if (open.length > 0) return `${instead}${next}`;
    return `${instead}starts next of those with room, at ${holder.opensAt ?? 'an unknown time'}`;
  }

  const candidates = places.map(({ member, obstacle, seat }) => explained(member.userId, obstacle, seat));
  const isOutsider = chosen !== null && !members.some(({ userId }) => userId === chosen.holder.userId);
  if (isOutsider) candidates.push(explained(chosen.holder.userId, null, chosen));
  return { seat: chosen, candidates };
}
