// The board's flash chip: a W25Q16JV, as a serial NOR flash with a file behind it.
//
// Erasing and programming take their time, during which the chip says "busy" and nothing else.
// What is done stands in the file at once, what is under way does not: killing the emulator is a
// power cut. With `tear` the file holds a half-done mixture meanwhile.
import fs from 'node:fs';

export const SIZE = 2 << 20;
const WINDOW = 16 << 20; // octets the processor sees
const PAGE = 256;
const SECTOR = 4096;
const BLOCK = 65536;

const MS = 1e6; // nanoseconds
/** Typical and worst times of the data sheet, nanoseconds. */
const PROGRAM_TIME = [0.7 * MS, 3 * MS];
const SECTOR_TIME = [45 * MS, 400 * MS];
const BLOCK_TIME = [150 * MS, 2000 * MS];

const WRITE_ENABLE = 0x06;
const WRITE_DISABLE = 0x04;
const READ_STATUS = 0x05;
const READ_STATUS_2 = 0x35;
const READ = 0x03;
const PAGE_PROGRAM = 0x02;
const ERASE_SECTOR = 0x20;
const ERASE_BLOCK = 0xd8;
const JEDEC_ID = 0x9f;
const UNIQUE_ID = 0x4b;

const BUSY = 1;
const WRITE_ENABLED = 2;
const QUAD_ENABLED = 2;
const ID = [0xef, 0x40, 0x15];
const UNIQUE = [0xe6, 0x61, 0x64, 0x08, 0x43, 0x21, 0x5a, 0x2b];

export const typical = ([usual]) => usual;
export const worst = ([, most]) => most;

/**
 * Half of the times are within 4 % of the typical one;
 * one erase in ten takes over three times as long.
 */
export function scattered(noise) {
    return ([usual, most]) => usual * (most / usual) ** (noise.fraction() ** 6);
}

export class Flash {
    /**
     * @param {object} options
     * @param {string} [options.file] made, blank, when it is not there; none: what is written is
     * lost
     * @param {(times: number[]) => number} options.duration picks from [typical, worst]
     * @param {Noise} [options.tear] tears what is under way when the power goes
     */
    constructor({ file, duration, tear }) {
        this.duration = duration;
        this.tear = tear;
        this.memory = new Uint8Array(WINDOW).fill(0xff);
        this.file = file === undefined ? null : openFile(file);
        if (this.file !== null) fs.readSync(this.file, this.memory, 0, SIZE, 0);
        this.time = null; // who knows the time: see attach()
        this.selected = false;
        this.received = [];
        this.writeEnabled = false;
        this.operation = null; // {start, content, until}: what the chip is busy with
        this.counts = { programs: 0, erases: 0 };
        this.cutAfter = 0; // operations until the power goes; 0: it stays
        this.onCut = () => {};
    }

    /**
     * @param time `now()` in nanoseconds and `waitUntil(nanos)`, which passes time for a processor
     *   that does nothing but ask
     */
    attach(time) {
        this.time = time;
    }

    /** Put an image in, as a loader would: each sector of it is erased first. */
    install(pieces) {
        const erased = new Set();
        for (const { offset, octets } of pieces) {
            if (offset < 0 || offset + octets.length > SIZE)
                throw new Error('the image does not fit the flash');
            for (let a = offset - (offset % SECTOR); a < offset + octets.length; a += SECTOR) {
                if (!erased.has(a)) this.memory.fill(0xff, a, a + SECTOR);
                erased.add(a);
            }
            this.memory.set(octets, offset);
        }
        for (const a of erased) this.save(a, this.memory.subarray(a, a + SECTOR));
    }

    /** The processor was reset; the chip was not and finishes what it does. */
    finish() {
        if (this.operation) this.done();
        this.selected = false;
    }

    select() {
        if (!this.selected) this.received = [];
        this.selected = true;
    }

    /** The end of a command: now it is carried out. */
    deselect() {
        if (!this.selected) return;
        this.selected = false;
        const [command] = this.received;
        if (this.busy || this.received.length < 4) return;
        if (command === PAGE_PROGRAM) this.program();
        else if (command === ERASE_SECTOR) this.erase(SECTOR, SECTOR_TIME);
        else if (command === ERASE_BLOCK) this.erase(BLOCK, BLOCK_TIME);
    }

    /** One octet in, the one that is shifted out meanwhile back. */
    exchange(octet) {
        this.received.push(octet);
        const [command] = this.received;
        const at = this.received.length - 1;
        if (command === READ_STATUS) return this.status();
        if (this.busy) return 0xff;
        if (command === WRITE_ENABLE) this.writeEnabled = true;
        else if (command === WRITE_DISABLE) this.writeEnabled = false;
        return at === 0 ? 0xff : this.answer(command, at);
    }

    answer(command, at) {
        switch (command) {
            case READ_STATUS_2:
                return QUAD_ENABLED;
            case JEDEC_ID:
                return ID[at - 1] ?? 0;
            case UNIQUE_ID:
                return at < 5 ? 0 : UNIQUE[(at - 5) % 8];
            case READ:
                return at < 4 ? 0xff : this.memory[(this.address + at - 4) % SIZE];
            default:
                return 0xff;
        }
    }

    status() {
        if (this.operation) this.time.waitUntil(this.operation.until);
        return (this.busy ? BUSY : 0) | (this.writeEnabled ? WRITE_ENABLED : 0);
    }

    get busy() {
        if (this.operation && this.time.now() >= this.operation.until) this.done();
        return this.operation !== null;
    }

    get address() {
        const [, high, middle, low] = this.received;
        return ((high << 16) | (middle << 8) | low) % SIZE;
    }

    /** Programming only clears bits, and goes round within its page. */
    program() {
        const start = this.address - (this.address % PAGE);
        const content = this.memory.slice(start, start + PAGE);
        for (let i = 4; i < this.received.length; i++)
            content[(this.address + i - 4) % PAGE] &= this.received[i];
        this.begin('programs', start, content, PROGRAM_TIME);
    }

    erase(size, times) {
        const start = this.address - (this.address % size);
        this.begin('erases', start, new Uint8Array(size).fill(0xff), times);
    }

    begin(kind, start, content, times) {
        if (!this.writeEnabled) return;
        this.counts[kind]++;
        this.operation = { start, content, until: this.time.now() + this.duration(times) };
        if (this.tear) this.save(start, this.torn(start, content));
        if (this.cutAfter && --this.cutAfter === 0) this.onCut();
    }

    done() {
        const { start, content } = this.operation;
        this.operation = null;
        this.writeEnabled = false;
        this.memory.set(content, start);
        this.save(start, content);
    }

    /** Each bit that is to change has changed or not. */
    torn(start, content) {
        return content.map((octet, i) => {
            const old = this.memory[start + i];
            return octet === old ? old : old ^ ((old ^ octet) & this.tear.octet());
        });
    }

    save(start, content) {
        if (this.file !== null) fs.writeSync(this.file, content, 0, content.length, start);
    }
}

function openFile(name) {
    if (!fs.existsSync(name)) fs.writeFileSync(name, Buffer.alloc(SIZE, 0xff));
    if (fs.statSync(name).size !== SIZE)
        throw new Error(`${name}: a flash file has ${SIZE} octets`);
    return fs.openSync(name, 'r+');
}
