/** Kinds of contact (spec/4). */
export const activityTypes = ['call', 'email', 'meeting', 'note'] as const;
export type ActivityType = (typeof activityTypes)[number];
