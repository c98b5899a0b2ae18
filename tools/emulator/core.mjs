// The processor core of rp2040js, quicker. That one tries some seventy patterns in turn for each
// instruction; here the upper five bits of the opcode pick one of the usual ones. What is rare is
// left to it. Registers, flags and memory are its own; results and cycles are the same
// (same_core.mjs).
import { bus, FLASH, FLASH_SIZE, RAM, RAM_SIZE, ROM_SIZE } from './bus.mjs';

const BARRIER = 0xf3bf; // DSB, DMB, ISB
const PC = 15;
const LR = 14;
const SP = 13;

export class QuickCore {
    /** @param clock of `mcu`: it is right whenever something outside the core is spoken to */
    constructor(mcu) {
        const times = { spent: 0, told: 0, most: 0, cycle: 0 };
        const tell = () => {
            mcu.clock.nanosCounter += (times.spent - times.told) * times.cycle;
            times.told = times.spent;
        };
        const outside = () => {
            tell();
            times.most = 0;
        };
        this.times = times;
        this.clock = mcu.clock;
        this.execute = instructions(mcu, tell, outside);
    }

    /**
     * Execute for about `most` cycles of `cycle` nanoseconds; less, when something happened that
     * the caller has to look at. Returns how many.
     */
    run(most, cycle) {
        const { times, execute } = this;
        Object.assign(times, { spent: 0, told: 0, most, cycle });
        while (times.spent < times.most) times.spent += execute();
        this.clock.tick((times.spent - times.told) * cycle);
        return times.spent;
    }
}

/**
 * Returns a function that executes one instruction and returns its cycles. Before it leaves
 * registers, RAM and flash it calls `outside`, or `tell` where time is read and nothing changes.
 */
function instructions(mcu, tell, outside) {
    const { core } = mcu;
    const r = new Int32Array(core.registers.buffer);
    const memory = bus(mcu, r, tell, outside);
    const { loadWord, loadHalfWord, loadOctet, storeWord, storeHalfWord, storeOctet } = memory;
    const rom16 = new Uint16Array(mcu.bootrom.buffer);
    const ram16 = new Uint16Array(mcu.sram.buffer);
    const flash16 = new Uint16Array(mcu.flash.buffer);

    function rarely(pc) {
        r[PC] = pc;
        outside();
        return core.executeInstruction();
    }

    function add(a, b) {
        const result = (a + b) | 0;
        core.N = result < 0;
        core.Z = result === 0;
        core.C = result >>> 0 < a >>> 0;
        core.V = ((a ^ result) & (b ^ result)) < 0;
        return result;
    }

    function subtract(a, b) {
        const result = (a - b) | 0;
        core.N = result < 0;
        core.Z = result === 0;
        core.C = a >>> 0 >= b >>> 0;
        core.V = ((a ^ b) & (a ^ result)) < 0;
        return result;
    }

    /** Sets N and Z. `result`: 32 bits with a sign. */
    function flagged(result) {
        core.N = result < 0;
        core.Z = result === 0;
        return result;
    }

    function holds(condition) {
        return truth(condition >> 1) !== ((condition & 1) === 1);
    }

    function truth(pair) {
        switch (pair) {
            case 0:
                return core.Z;
            case 1:
                return core.C;
            case 2:
                return core.N;
            case 3:
                return core.V;
            case 4:
                return core.C && !core.Z;
            case 5:
                return core.N === core.V;
            default:
                return core.N === core.V && !core.Z;
        }
    }

    function push(list, withLink) {
        let address = r[SP];
        for (let bits = list; bits; bits &= bits - 1) address -= 4;
        if (withLink) address -= 4;
        r[SP] = address;
        let cycles = 1;
        for (let i = 0; i < 8; i++) {
            if (list & (1 << i)) {
                storeWord(address, r[i]);
                address += 4;
                cycles++;
            }
        }
        if (withLink) storeWord(address, r[LR]);
        return cycles;
    }

    function pop(list, withCounter) {
        let address = r[SP];
        let cycles = 1;
        for (let i = 0; i < 8; i++) {
            if (list & (1 << i)) {
                loadWord(i, address);
                address += 4;
                cycles++;
            }
        }
        r[SP] = address;
        if (!withCounter) return cycles;
        r[SP] = address + 4;
        loadWord(PC, address);
        core.BXWritePC(r[PC] >>> 0);
        return cycles + 2;
    }

    function loadMany(list, base) {
        let address = r[base];
        let cycles = 1;
        for (let i = 0; i < 8; i++) {
            if (list & (1 << i)) {
                loadWord(i, address);
                address += 4;
                cycles++;
            }
        }
        if (!(list & (1 << base))) r[base] = address;
        return cycles;
    }

    function storeMany(list, base) {
        let address = r[base];
        let cycles = 1;
        for (let i = 0; i < 8; i++) {
            if (list & (1 << i)) {
                storeWord(address, r[i]);
                address += 4;
                cycles++;
            }
        }
        if (!(list & (1 << base))) r[base] = address;
        return cycles;
    }

    /** 010000: arithmetic and logic on two registers. Those with carry are the core's own. */
    function onRegisters(opcode, pc) {
        const m = (opcode >> 3) & 7;
        const d = opcode & 7;
        switch ((opcode >> 6) & 15) {
            case 0: // ANDS
                r[d] = flagged(r[d] & r[m]);
                return 1;
            case 1: // EORS
                r[d] = flagged(r[d] ^ r[m]);
                return 1;
            case 5: // ADCS
                r[d] = core.addUpdateFlags(r[m] >>> 0, (r[d] >>> 0) + (core.C ? 1 : 0));
                return 1;
            case 6: // SBCS
                r[d] = core.substractUpdateFlags(r[d] >>> 0, (r[m] >>> 0) + (core.C ? 0 : 1));
                return 1;
            case 8: // TST
                flagged(r[d] & r[m]);
                return 1;
            case 9: // RSBS
                r[d] = subtract(0, r[m]);
                return 1;
            case 10: // CMP
                subtract(r[d], r[m]);
                return 1;
            case 12: // ORRS
                r[d] = flagged(r[d] | r[m]);
                return 1;
            case 13: // MULS
                r[d] = flagged(Math.imul(r[d], r[m]));
                return 1;
            case 14: // BICS
                r[d] = flagged(r[d] & ~r[m]);
                return 1;
            case 15: // MVNS
                r[d] = flagged(~r[m]);
                return 1;
            default:
                return shift(opcode, pc, m, d);
        }
    }

    function shift(opcode, pc, m, d) {
        const by = r[m] & 255;
        const value = r[d];
        if (by === 0 || by > 31) return rarely(pc);
        switch ((opcode >> 6) & 15) {
            case 2: // LSLS
                core.C = ((value >>> (32 - by)) & 1) === 1;
                r[d] = flagged(value << by);
                return 1;
            case 3: // LSRS
                core.C = ((value >>> (by - 1)) & 1) === 1;
                r[d] = flagged((value >>> by) | 0);
                return 1;
            case 4: // ASRS
                core.C = ((value >>> (by - 1)) & 1) === 1;
                r[d] = flagged(value >> by);
                return 1;
            case 7: // RORS
                r[d] = flagged((value >>> by) | (value << (32 - by)));
                core.C = core.N;
                return 1;
            default:
                return rarely(pc);
        }
    }

    function put(register, value) {
        if (register === PC) {
            r[PC] = value & ~1;
            return 2;
        }
        r[register] = register === SP ? value & ~3 : value;
        return 1;
    }

    /** 010001: any register. */
    function onAny(opcode, pc) {
        const m = (opcode >> 3) & 15;
        const d = ((opcode >> 4) & 8) | (opcode & 7);
        const value = m === PC ? pc + 4 : r[m];
        switch ((opcode >> 8) & 3) {
            case 0: // ADD
                return put(d, (d === PC ? pc + 4 : r[d]) + value);
            case 1: // CMP
                subtract(r[d], r[m]);
                return 1;
            case 2: // MOV
                return put(d, value);
            default: // BX, BLX
                if (opcode & 7 || (opcode & 0x80 && m === LR)) return rarely(pc);
                if (opcode & 0x80) {
                    r[LR] = (pc + 2) | 1;
                    r[PC] = r[m] & ~1;
                } else core.BXWritePC(r[m] >>> 0);
                return 2;
        }
    }

    /** 0101: loads and stores with an address out of two registers. */
    function byRegister(opcode) {
        const d = opcode & 7;
        const address = r[(opcode >> 3) & 7] + r[(opcode >> 6) & 7];
        let cycles;
        switch ((opcode >> 9) & 7) {
            case 0:
                return storeWord(address, r[d]);
            case 1:
                return storeHalfWord(address, r[d]);
            case 2:
                return storeOctet(address, r[d]);
            case 3: // LDRSB
                cycles = loadOctet(d, address);
                r[d] = (r[d] << 24) >> 24;
                return cycles;
            case 4:
                return loadWord(d, address);
            case 5:
                return loadHalfWord(d, address);
            case 6:
                return loadOctet(d, address);
            default: // LDRSH
                cycles = loadHalfWord(d, address);
                r[d] = (r[d] << 16) >> 16;
                return cycles;
        }
    }

    /** 1011: the stack, and octets made larger. */
    function miscellaneous(opcode, pc) {
        const d = opcode & 7;
        const value = r[(opcode >> 3) & 7];
        switch ((opcode >> 8) & 15) {
            case 0: // ADD and SUB, stack pointer
                if (opcode & 0x80) r[SP] -= (opcode & 0x7f) << 2;
                else r[SP] += (opcode & 0x7f) << 2;
                return 1;
            case 2: // SXTH, SXTB, UXTH, UXTB
                if (opcode & 0x80) r[d] = value & (opcode & 0x40 ? 0xff : 0xffff);
                else if (opcode & 0x40) r[d] = (value << 24) >> 24;
                else r[d] = (value << 16) >> 16;
                return 1;
            case 4:
            case 5:
                return push(opcode & 255, opcode & 0x100);
            case 12:
            case 13:
                return pop(opcode & 255, opcode & 0x100);
            default:
                return rarely(pc);
        }
    }

    /** 11110: BL, and barriers. `more`: the second half. */
    function long(opcode, more, pc) {
        if (opcode === BARRIER && more >= 0x8f40 && more <= 0x8f6f) {
            r[PC] = pc + 4;
            return 3;
        }
        if ((more & 0xd000) !== 0xd000) return rarely(pc);
        const sign = (opcode << 21) >> 31;
        const i1 = ~((more >> 13) ^ sign) & 1;
        const i2 = ~((more >> 11) ^ sign) & 1;
        const far = (sign << 24) | (i1 << 23) | (i2 << 22);
        r[LR] = (pc + 4) | 1;
        r[PC] = pc + 4 + (far | ((opcode & 0x3ff) << 12) | ((more & 0x7ff) << 1));
        return 3;
    }

    return function execute() {
        const pc = r[PC];
        if (core.interruptsUpdated) return rarely(pc);
        let code = flash16;
        let at = (pc ^ FLASH) >>> 0;
        if (at >= FLASH_SIZE) {
            code = ram16;
            at = (pc ^ RAM) >>> 0;
            if (pc >>> 0 < ROM_SIZE) {
                code = rom16;
                at = pc;
            } else if (at >= RAM_SIZE) return rarely(pc);
        }
        const opcode = code[at >> 1];
        const d = opcode & 7;
        const m = (opcode >> 3) & 7;
        const n = (opcode >> 8) & 7;
        const low = opcode & 255;
        const five = (opcode >> 6) & 31;
        const value = r[m];
        r[PC] = pc + 2;
        switch (opcode >> 11) {
            case 0: // LSLS
                if (five) core.C = ((value >>> (32 - five)) & 1) === 1;
                r[d] = flagged(value << five);
                return 1;
            case 1: // LSRS
                core.C = ((value >>> (five ? five - 1 : 31)) & 1) === 1;
                r[d] = flagged(five ? (value >>> five) | 0 : 0);
                return 1;
            case 2: // ASRS
                core.C = ((value >>> (five ? five - 1 : 31)) & 1) === 1;
                r[d] = flagged(value >> (five || 31));
                return 1;
            case 3: { // ADDS, SUBS
                const other = opcode & 0x400 ? five & 7 : r[five & 7];
                r[d] = opcode & 0x200 ? subtract(value, other) : add(value, other);
                return 1;
            }
            case 4: // MOVS
                r[n] = flagged(low);
                return 1;
            case 5: // CMP
                subtract(r[n], low);
                return 1;
            case 6:
                r[n] = add(r[n], low);
                return 1;
            case 7:
                r[n] = subtract(r[n], low);
                return 1;
            case 8:
                return opcode & 0x400 ? onAny(opcode, pc) : onRegisters(opcode, pc);
            case 9: // LDR, literal
                return loadWord(n, ((pc + 4) & ~3) + (low << 2));
            case 10:
            case 11:
                return byRegister(opcode);
            case 12:
                return storeWord(value + (five << 2), r[d]);
            case 13:
                return loadWord(d, value + (five << 2));
            case 14:
                return storeOctet(value + five, r[d]);
            case 15:
                return loadOctet(d, value + five);
            case 16:
                return storeHalfWord(value + (five << 1), r[d]);
            case 17:
                return loadHalfWord(d, value + (five << 1));
            case 18:
                return storeWord(r[SP] + (low << 2), r[n]);
            case 19:
                return loadWord(n, r[SP] + (low << 2));
            case 20: // ADR
                r[n] = (pc & ~3) + 4 + (low << 2);
                return 1;
            case 21:
                r[n] = r[SP] + (low << 2);
                return 1;
            case 22:
            case 23:
                return miscellaneous(opcode, pc);
            case 24:
                return storeMany(low, n);
            case 25:
                return loadMany(low, n);
            case 26:
            case 27: // B, on a condition
                if ((opcode & 0xe00) === 0xe00) return rarely(pc);
                if (!holds((opcode >> 8) & 15)) return 1;
                r[PC] = pc + 4 + ((opcode << 24) >> 23);
                return 2;
            case 28: // B
                r[PC] = pc + 4 + ((opcode << 21) >> 20);
                return 2;
            case 30:
                return long(opcode, code[(at >> 1) + 1], pc);
            default:
                return rarely(pc);
        }
    };
}
