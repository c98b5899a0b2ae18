// How device time follows the time on the wall.

const MOST_BEHIND = 50e6; // nanoseconds on the wall; what is later than that is not made up for

export class Pace {
    /** @param {number} speed device seconds per second on the wall at most; 0: no limit */
    constructor(speed) {
        this.speed = speed;
        this.start = null; // {wall, device}: from here it is counted
    }

    /** The device time that may be reached now. */
    limit(device) {
        if (!this.speed) return Infinity;
        const wall = performance.now() * 1e6;
        this.start ??= { wall, device };
        const limit = this.start.device + (wall - this.start.wall) * this.speed;
        if (limit - device <= MOST_BEHIND * this.speed) return limit;
        this.start = { wall, device };
        return device + 1e6 * this.speed;
    }
}
