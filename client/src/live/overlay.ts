/** What somebody has asked for and the server has not shown yet: how rows look with it. */
type Overlay<R> = { change: (rows: readonly R[]) => readonly R[]; until: number };

/** Writes that are shown before they are answered. Each goes when the list shows its revision, or when it is refused. Pure. */
export class Overlays<R> {
  #overlays: readonly Overlay<R>[] = [];

  add(change: Overlay<R>['change']): Overlay<R> {
    const overlay = { change, until: Number.POSITIVE_INFINITY };
    this.#overlays = [...this.#overlays, overlay];
    return overlay;
  }

  remove(overlay: Overlay<R>): void {
    this.#overlays = this.#overlays.filter((other) => other !== overlay);
  }

  /** The rows are of this revision. @returns whether one has gone */
  reached(revision: number): boolean {
    const left = this.#overlays.filter(({ until }) => until > revision);
    const isFewer = left.length < this.#overlays.length;
    this.#overlays = left;
    return isFewer;
  }

  /** Another history: those that are answered go with the next load, as their revisions are of before. */
  renumber(): void {
    for (const overlay of this.#overlays) if (overlay.until < Number.POSITIVE_INFINITY) overlay.until = 0;
  }

  over(rows: readonly R[]): readonly R[] {
    return this.#overlays.reduce((shown, { change }) => change(shown), rows);
  }
}
