const atOnce = 16;

export interface BackgroundOptions {
  /** What becomes of work that waits when the API stops: `finished`, or `left` to whoever else does it (the relay). */
  atStop: 'finished' | 'left';
}

/** Work behind answers that were given already, so much at once. */
export class Background {
  private readonly running = new Set<Promise<void>>();
  private readonly waiting: (() => Promise<void>)[] = [];
  private readonly atStop: BackgroundOptions['atStop'];

  constructor({ atStop }: BackgroundOptions) {
    this.atStop = atStop;
  }

  /** Runs `work`, which must not reject, as soon as there is room. */
  add(work: () => Promise<void>): void {
    this.waiting.push(work);
    this.start();
  }

  /** Resolves when nothing runs any more. */
  async drained(): Promise<void> {
    if (this.atStop === 'left') this.waiting.length = 0;
    while (this.running.size > 0) await Promise.all(this.running);
  }

  private start(): void {
    while (this.running.size < atOnce) {
      const work = this.waiting.shift();
      if (!work) return;
      const run = work().finally(() => {
        this.running.delete(run);
        this.start();
      });
      this.running.add(run);
    }
  }
}
