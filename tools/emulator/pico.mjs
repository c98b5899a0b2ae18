// The machine: an RP2040 of rp2040js with our flash, UARTs, ring oscillator and resets in it. It
// lives on over resets; only the power going ends it. Time is nanoseconds of the device since
// power-on.
import { RP2040 } from 'rp2040js';
import { QuickCore } from './core.mjs';
import { UartRecord } from './record.mjs';
import { Rosc } from './rosc.mjs';
import { ChipSelect, Ssi } from './ssi.mjs';
import { Uart } from './uart.mjs';
import { joinRepl } from './usb.mjs';

const SSI = 0x18000;
const RESETS = 0x4000c;
const IO_QSPI = 0x40018;
const UARTS = [0x40034, 0x40038];
const UART_IRQS = [20, 21];
const UART_RESET_BITS = [1 << 22, 1 << 23];
const WATCHDOG = 0x40058;
const ROSC = 0x40060;
const WATCHDOG_TIMER = 1; // its reason for a reset
const SIO_FIFO_STATUS = 0x50;
const SIO_FIFO_READ = 0x58;

const SECOND_STAGE = 0x10000000; // where the boot ROM goes when the flash holds a program
const POWER_ON = { reason: 0, scratch: new Uint32Array(8) };
const IDLE = 1000; // nanoseconds passed when nothing at all is due
const IDLE_WORTH = 200; // one wait costs the host as much as so many cycles

export class Pico {
    /**
     * @param {object} parts
     * @param {Uint32Array} parts.bootrom
     * @param {Flash} parts.flash
     * @param {{repl: Wire, uart0: Wire, uart1: Wire}} parts.wires
     * @param {() => number} parts.randomBit
     * @param {(reason: string) => void} parts.onReset
     */
    constructor(parts) {
        Object.assign(this, parts);
        this.records = [new UartRecord(), new UartRecord()];
        this.longestMasked = 0;
        this.boots = 0;
        this.past = 0; // when the present boot began
        this.horizon = 0; // how far the present run may go
        this.complaints = new Set();
        this.flash.attach(this);
        this.boot(POWER_ON);
    }

    now() {
        return this.past + this.clock.nanos;
    }

    boot(kept) {
        this.boots++;
        this.wanted = null; // the reset that is due
        const mcu = new RP2040();
        this.clock = mcu.clock;
        this.core = mcu.core;
        mcu.logger = {
            debug() {},
            info() {},
            warn() {},
            error: (who, what) => this.complain(`${who}: ${what}`),
        };
        mcu.onBreak = (code) => this.complain(`breakpoint ${code} at ${mcu.core.PC.toString(16)}`);
        mcu.loadBootrom(this.bootrom);
        mcu.flash = this.flash.memory;
        mcu.flashView = new DataView(mcu.flash.buffer);
        this.quick = new QuickCore(mcu);
        const ssi = new Ssi(mcu, this.flash);
        mcu.peripherals[SSI] = ssi;
        mcu.peripherals[IO_QSPI] = new ChipSelect(mcu, ssi);
        mcu.peripherals[ROSC] = new Rosc(mcu, this.randomBit);
        answerForCore1(mcu.sio);
        this.addUarts(mcu);
        this.addWatchdog(mcu.peripherals[WATCHDOG], kept);
        this.masked = false;
        joinRepl(mcu.usbCtrl, this.wires.repl);
        this.cycle = 1e9 / mcu.clkSys;
        mcu.addClockListener((frequency) => {
            this.cycle = 1e9 / frequency;
        });
        for (const pin of mcu.gpio) {
            pin.setInputValue(true); // nothing is connected: pulled up, as the board has them
        }
        mcu.core.PC = SECOND_STAGE;
    }

    /** What the program does that the emulator cannot, or should not be done; once each. */
    complain(what) {
        if (!this.complaints.has(what)) console.error(what);
        this.complaints.add(what);
    }

    addUarts(mcu) {
        const wires = [this.wires.uart0, this.wires.uart1];
        const now = () => this.now();
        const uarts = UARTS.map((base, k) => {
            const uart = new Uart(mcu, `UART${k}`, UART_IRQS[k], wires[k], this.records[k], now);
            mcu.uart[k] = mcu.peripherals[base] = uart;
            return uart;
        });
        const resets = mcu.peripherals[RESETS];
        const write = resets.writeUint32.bind(resets);
        resets.writeUint32 = (offset, value) => {
            write(offset, value);
            uarts.forEach((uart, k) => {
                if (offset === 0 && value & UART_RESET_BITS[k]) uart.reset();
            });
        };
    }

    /** The timer has to be stopped: rp2040js lets it fire for ever within the same tick. */
    addWatchdog(watchdog, { reason, scratch }) {
        this.watchdog = watchdog;
        watchdog.reason = reason;
        watchdog.scratchData.set(scratch);
        watchdog.onWatchdogTrigger = () => {
            watchdog.timer.enable = false;
            this.wanted = {
                reason: watchdog.reason,
                scratch: Uint32Array.from(watchdog.scratchData),
            };
        };
    }

    /** The watchdog resets the chip, as if nobody had fed it for long. */
    bite() {
        const scratch = Uint32Array.from(this.watchdog.scratchData);
        this.wanted = { reason: WATCHDOG_TIMER, scratch };
    }

    /** Note for how long interrupts are off: so long no UART is heard. */
    maskChanged() {
        if (this.core.PM) this.maskedSince = this.now();
        else this.longestMasked = Math.max(this.longestMasked, this.now() - this.maskedSince);
        this.masked = this.core.PM;
    }

    /**
     * For the flash: the processor asks whether it is ready, and asks again. With interrupts off
     * nothing else can happen to it, so the time goes by at once, as far as the pace allows;
     * characters still arrive at theirs.
     */
    waitUntil(nanos) {
        const wait = Math.min(nanos, this.horizon) - this.now();
        if (this.core.PM && wait > 0) this.clock.tick(wait);
    }

    /** Run until device time `until`, for about `cycles`, or until a reset. */
    run(until, cycles) {
        const { clock, core } = this;
        this.horizon = until;
        const end = until - this.past;
        let left = cycles;
        while (left > 0 && clock.nanosCounter < end && !this.wanted) {
            const alarm = clock.nextAlarm;
            if (core.waiting) {
                clock.tick(Math.min(alarm ? clock.nanosToNextAlarm : IDLE, end - clock.nanosCounter));
                left -= IDLE_WORTH;
            } else {
                const next = Math.min(end, alarm ? alarm.nanos : Infinity);
                const most = Math.ceil((next - clock.nanosCounter) / this.cycle);
                left -= this.quick.run(Math.max(1, Math.min(most, left)), this.cycle);
                if (core.PM !== this.masked) this.maskChanged();
            }
        }
        if (this.wanted) this.reset(this.wanted);
    }

    reset(kept) {
        this.core.PM = false; // nobody is deaf longer than this
        if (this.masked) this.maskChanged();
        this.flash.finish();
        this.onReset(kept.reason === WATCHDOG_TIMER ? 'watchdog' : 'forced');
        this.past = this.now();
        this.boot(kept);
    }

    stats() {
        const { boots, flash, records } = this;
        return {
            ms: this.now() / 1e6,
            boot_ms: this.clock.nanos / 1e6,
            boots,
            flash: flash.counts,
            longest_masked_ms: this.longestMasked / 1e6,
            uart0: records[0].report(),
            uart1: records[1].report(),
        };
    }

    /** Forget the longest times, to measure a part of a run. */
    clearLongest() {
        this.longestMasked = 0;
        for (const record of this.records) record.longestWait = 0;
    }
}

/** There is one core. The SDK resets the other and waits for the zero that its ROM then sends. */
function answerForCore1(sio) {
    const read = sio.readUint32.bind(sio);
    sio.readUint32 = (offset) => {
        if (offset === SIO_FIFO_STATUS) return 3; // something to read, room to write
        return offset === SIO_FIFO_READ ? 0 : read(offset);
    };
}
