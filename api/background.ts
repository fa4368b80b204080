const atOnce = 16;

/** Work behind answers that were given already, so much at once; what waits when the API stops is left to the relay. */
export class Background {
  private readonly running = new Set<Promise<void>>();
  private readonly waiting: (() => Promise<void>)[] = [];

  /** Runs `work`, which must not reject, as soon as there is room. */
  add(work: () => Promise<void>): void {
    this.waiting.push(work);
    this.start();
  }

  /** Starts nothing more, and resolves when what runs has ended. */
  async drained(): Promise<void> {
    this.waiting.length = 0;
    await Promise.all(this.running);
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
