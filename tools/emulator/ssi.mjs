// What stands between the processor and the flash chip: the serial interface (RP2040 data sheet
// 4.10) and the chip select, which the boot ROM and the SDK drive by hand in IO_QSPI (2.19.6.2).
// Execution in place reads the flash's memory directly.
import { BasePeripheral } from 'rp2040js';

const SR = 0x28;
const DR0 = 0x60;
const TX_LEVEL = 0x20;
const RX_LEVEL = 0x24;
const TX_NOT_FULL_AND_EMPTY = 2 | 4;
const RX_NOT_EMPTY = 8;
const RX_DEPTH = 64;
const READ_STATUS = 0x05;

const SS_CTRL = 0x0c;
const OUTOVER_LOW = 2;

export class Ssi extends BasePeripheral {
    constructor(rp2040, flash) {
        super(rp2040, 'SSI');
        this.flash = flash;
        this.registers = new Uint32Array(64);
        this.received = [];
    }

    select(low) {
        if (low && !this.flash.selected) this.received = [];
        if (low) this.flash.select();
        else this.flash.deselect();
    }

    readUint32(offset) {
        switch (offset) {
            case SR:
                return (
                    TX_NOT_FULL_AND_EMPTY |
                    (this.received.length || !this.flash.selected ? RX_NOT_EMPTY : 0)
                );
            case TX_LEVEL:
                return 0; // what is sent is sent at once
            case RX_LEVEL:
                return this.received.length;
            case DR0:
                return this.received.shift() ?? 0;
            default:
                return this.registers[(offset >> 2) & 63];
        }
    }

    writeUint32(offset, value) {
        if (offset !== DR0) this.registers[(offset >> 2) & 63] = value;
        else if (this.flash.selected) this.received.push(this.flash.exchange(value & 0xff));
        else this.receiveAtBoot(value & 0xff);
    }

    // The second stage of the boot selects the chip through the SSI itself; all it asks is whether
    // quad mode is on.
    receiveAtBoot(octet) {
        this.received.push(octet === READ_STATUS ? 0 : 0xff);
        if (this.received.length > RX_DEPTH) this.received.shift();
    }
}

export class ChipSelect extends BasePeripheral {
    constructor(rp2040, ssi) {
        super(rp2040, 'IO_QSPI');
        this.ssi = ssi;
        this.registers = new Uint32Array(64);
    }

    readUint32(offset) {
        return this.registers[(offset >> 2) & 63];
    }

    writeUint32(offset, value) {
        this.registers[(offset >> 2) & 63] = value;
        if (offset === SS_CTRL) this.ssi.select(((value >> 8) & 3) === OUTOVER_LOW);
    }
}
