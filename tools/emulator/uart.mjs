// The PL011 UART (ARM DDI 0183, RP2040 data sheet 4.2) at its baud rate: two FIFOs of 32, their
// levels, the receive time-out and the overrun. Not modelled: DMA requests, breaks, parity and
// framing errors, flow control.
import { BasePeripheral } from 'rp2040js';

const DR = 0x00;
const RSR = 0x04;
const FR = 0x18;
const IBRD = 0x24;
const FBRD = 0x28;
const LCR_H = 0x2c;
const CR = 0x30;
const IFLS = 0x34;
const IMSC = 0x38;
const RIS = 0x3c;
const MIS = 0x40;
const ICR = 0x44;
const DMACR = 0x48;

const TX_EMPTY = 1 << 7;
const RX_FULL = 1 << 6;
const TX_FULL = 1 << 5;
const RX_EMPTY = 1 << 4;
const TX_BUSY = 1 << 3;

const FIFOS_ENABLED = 1 << 4;
const ENABLED = 1 << 0;
const TX_ENABLED = 1 << 8;
const RX_ENABLED = 1 << 9;

const OVERRUN_INTERRUPT = 1 << 10;
const TIMEOUT_INTERRUPT = 1 << 6;
const TX_INTERRUPT = 1 << 5;
const RX_INTERRUPT = 1 << 4;

const OVERRUN_IN_DR = 1 << 11;
const OVERRUN_IN_RSR = 1 << 3;

const DEPTH = 32;
const LEVELS = [4, 8, 16, 24, 28];
const TIMEOUT_BITS = 32;
const UNSET_BIT_NANOS = 1e9 / 115200; // how fast characters go by before the firmware sets a rate

export class Uart extends BasePeripheral {
    /**
     * @param {number} irq number of the interrupt
     * @param {Wire} wire where the characters come from and go to
     * @param {UartRecord} record
     * @param {() => number} now nanoseconds since power-on
     */
    constructor(rp2040, name, irq, wire, record, now) {
        super(rp2040, name);
        Object.assign(this, { irq, wire, record, now });
        const { clock } = rp2040;
        this.arrival = clock.createAlarm(() => this.arrive());
        this.departure = clock.createAlarm(() => this.depart());
        this.timeout = clock.createAlarm(() => this.raise(TIMEOUT_INTERRUPT));
        this.arriving = false;
        this.reset();
        wire.onArrival = () => this.expect();
        this.expect();
    }

    /** As the reset controller does. */
    reset() {
        this.rx = []; // {octet, flags, since}
        this.tx = [];
        this.shifting = null; // {octet, since}: on its way out
        this.overrun = false; // until the firmware clears it
        this.gap = false; // before the next character some were lost
        this.interrupts = 0;
        this.mask = 0;
        this.registers = {
            [CR]: TX_ENABLED | RX_ENABLED,
            [IFLS]: 0b010010,
            [IBRD]: 0,
            [FBRD]: 0,
            [LCR_H]: 0,
            [DMACR]: 0,
        };
        this.departure.cancel();
        this.timeout.cancel();
        this.update();
    }

    /** rp2040js tells its own UARTs so; the rate is computed when it is used. */
    clkPeriChanged() {}

    get bitNanos() {
        const divider = this.registers[IBRD] + this.registers[FBRD] / 64;
        return divider ? (16e9 * divider) / this.rp2040.clkPeri : UNSET_BIT_NANOS;
    }

    get characterNanos() {
        const format = this.registers[LCR_H];
        const parity = (format >> 1) & 1;
        const stops = 1 + ((format >> 3) & 1);
        const data = this.registers[IBRD] ? 5 + ((format >> 5) & 3) : 8;
        return (1 + data + parity + stops) * this.bitNanos;
    }

    get depth() {
        return this.registers[LCR_H] & FIFOS_ENABLED ? DEPTH : 1;
    }

    get rxLevel() {
        return this.depth === 1 ? 1 : (LEVELS[(this.registers[IFLS] >> 3) & 7] ?? DEPTH);
    }

    get txLevel() {
        return this.depth === 1 ? 0 : (LEVELS[this.registers[IFLS] & 7] ?? DEPTH);
    }

    can(direction) {
        return (this.registers[CR] & (ENABLED | direction)) === (ENABLED | direction);
    }

    raise(interrupt) {
        this.interrupts |= interrupt;
        this.update();
    }

    clear(interrupt) {
        this.interrupts &= ~interrupt;
        this.update();
    }

    update() {
        this.rp2040.setInterrupt(this.irq, (this.interrupts & this.mask) !== 0);
    }

    // In: one character after the other, at the line's rate.

    expect() {
        if (this.arriving || !this.wire.waiting) return;
        this.arriving = true;
        this.arrival.schedule(this.characterNanos);
    }

    arrive() {
        this.arriving = false;
        this.receive(this.wire.take());
        this.expect();
    }

    receive(octet) {
        if (!this.can(RX_ENABLED)) {
            this.record.unheard++;
            return;
        }
        const now = this.now();
        this.record.character('in', now - this.characterNanos, now);
        if (this.rx.length >= this.depth) {
            this.record.lost++;
            this.overrun = true;
            this.gap = true;
            this.raise(OVERRUN_INTERRUPT);
            return;
        }
        this.record.received++;
        this.rx.push({ octet, flags: this.gap ? OVERRUN_IN_DR : 0, since: now });
        this.gap = false;
        this.timeout.schedule(TIMEOUT_BITS * this.bitNanos);
        // The manual leaves open whether a FIFO that stayed above its level asks again; here each
        // further character does.
        if (this.rx.length >= this.rxLevel) this.raise(RX_INTERRUPT);
    }

    takeReceived() {
        const first = this.rx.shift();
        if (!first) return 0;
        this.record.waited(this.now() - first.since);
        if (this.rx.length < this.rxLevel) this.interrupts &= ~RX_INTERRUPT;
        if (this.rx.length) {
            this.timeout.schedule(TIMEOUT_BITS * this.bitNanos);
        } else {
            this.timeout.cancel();
            this.interrupts &= ~TIMEOUT_INTERRUPT;
        }
        this.update();
        return first.octet | first.flags;
    }

    // Out.

    transmit(octet) {
        if (!this.can(TX_ENABLED) || this.tx.length >= this.depth) return;
        this.tx.push(octet);
        if (this.tx.length > this.txLevel) this.clear(TX_INTERRUPT);
        if (!this.shifting) this.shift();
    }

    /** The interrupt comes with the passage down through the level (DDI 0183, 2.8.2). */
    shift() {
        this.shifting = { octet: this.tx.shift(), since: this.now() };
        this.departure.schedule(this.characterNanos);
        if (this.tx.length === this.txLevel) this.raise(TX_INTERRUPT);
    }

    depart() {
        const { octet, since } = this.shifting;
        this.shifting = null;
        this.record.sent++;
        this.record.character('out', since, this.now());
        this.wire.put(octet);
        if (this.tx.length) this.shift();
    }

    get flags() {
        return (
            (this.rx.length >= this.depth ? RX_FULL : 0) |
            (this.rx.length ? 0 : RX_EMPTY) |
            (this.tx.length >= this.depth ? TX_FULL : 0) |
            (this.tx.length ? 0 : TX_EMPTY) |
            (this.tx.length || this.shifting ? TX_BUSY : 0)
        );
    }

    readUint32(offset) {
        switch (offset) {
            case DR:
                return this.takeReceived();
            case RSR:
                return this.overrun ? OVERRUN_IN_RSR : 0;
            case FR:
                return this.flags;
            case IMSC:
                return this.mask;
            case RIS:
                return this.interrupts;
            case MIS:
                return this.interrupts & this.mask;
            case ICR:
                return 0;
            default:
                return this.registers[offset] ?? super.readUint32(offset);
        }
    }

    writeUint32(offset, value) {
        switch (offset) {
            case DR:
                this.transmit(value & 0xff);
                break;
            case RSR:
                this.overrun = false;
                break;
            case IMSC:
                this.mask = value & 0x7ff;
                this.update();
                break;
            case ICR:
                this.clear(this.rawWriteValue);
                break;
            default:
                if (offset in this.registers) this.registers[offset] = value;
                else super.writeUint32(offset, value);
        }
    }
}
