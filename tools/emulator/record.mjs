// What a UART did, in device time, over all resets: counts, the longest neglect, and the bursts,
// from which a turn-round can be read.

const MOST_BURSTS = 1000;

export class UartRecord {
    constructor() {
        this.received = 0;
        this.sent = 0;
        this.lost = 0; // came while the FIFO was full
        this.unheard = 0; // came while the UART was off
        this.longestWait = 0; // nanoseconds that a character lay in the FIFO
        this.bursts = [];
    }

    /**
     * A character went over the line.
     * @param {'in' | 'out'} direction
     * @param {number} start nanoseconds
     * @param {number} end nanoseconds
     */
    character(direction, start, end) {
        const last = this.bursts.at(-1);
        const pause = 4 * (end - start);
        if (last?.direction === direction && start - last.end <= pause) {
            last.end = end;
            last.count++;
            return;
        }
        this.bursts.push({ direction, start, end, count: 1 });
        if (this.bursts.length > MOST_BURSTS) this.bursts.shift();
    }

    waited(nanos) {
        if (nanos > this.longestWait) this.longestWait = nanos;
    }

    report() {
        const { received, sent, lost, unheard } = this;
        return { received, sent, lost, unheard, longest_wait_ms: this.longestWait / 1e6 };
    }

    takeBursts() {
        const taken = this.bursts.map(({ direction, start, end, count }) => {
            return { direction, start_ms: start / 1e6, end_ms: end / 1e6, count };
        });
        this.bursts = [];
        return taken;
    }
}
