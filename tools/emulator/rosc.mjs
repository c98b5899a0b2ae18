// The ring oscillator, as far as somebody reads it: MicroPython makes os.urandom() of its random
// bit.
import { BasePeripheral } from 'rp2040js';

const STATUS = 0x18;
const RANDOMBIT = 0x1c;
const STABLE_AND_ENABLED = (1 << 31) | (1 << 12);

export class Rosc extends BasePeripheral {
    /** @param {() => number} randomBit what the register of the random bit reads */
    constructor(rp2040, randomBit) {
        super(rp2040, 'ROSC');
        this.randomBit = randomBit;
        this.registers = new Uint32Array(16);
    }

    readUint32(offset) {
        if (offset === RANDOMBIT) return this.randomBit();
        if (offset === STATUS) return STABLE_AND_ENABLED >>> 0;
        return this.registers[(offset >> 2) & 15];
    }

    writeUint32(offset, value) {
        this.registers[(offset >> 2) & 15] = value;
    }
}
