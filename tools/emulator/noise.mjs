// Randomness: from the operating system, or the same octets for the same seed.
import { createCipheriv, createHash, randomBytes } from 'node:crypto';

const POOL = 4096;

export class Noise {
    /** @param {string} [seed] the same gives the same noise; without one nobody can foretell it */
    constructor(seed) {
        const key = seed === undefined ? randomBytes(16) : createHash('md5').update(seed).digest();
        this.cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
        this.pool = Buffer.alloc(0);
        this.at = 0;
    }

    octet() {
        if (this.at === this.pool.length) {
            this.pool = this.cipher.update(Buffer.alloc(POOL));
            this.at = 0;
        }
        return this.pool[this.at++];
    }

    bit() {
        return this.octet() & 1;
    }

    /** @returns {number} in [0, 1) */
    fraction() {
        return (this.octet() * 65536 + this.octet() * 256 + this.octet()) / 16777216;
    }
}
