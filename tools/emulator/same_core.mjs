// Executes every opcode by the quick core and by rp2040js's own, from states made by chance, and
// compares registers, flags, cycles and RAM:
//     node tools/emulator/same_core.mjs [SEED]
import { RP2040 } from 'rp2040js';
import { QuickCore } from './core.mjs';
import { Noise } from './noise.mjs';

const RAM = 0x20000000;
const CODE = RAM + 0x20000;
const STATES = 4; // of each opcode
const LOADS_AND_STORES = [5, 6, 7, 8, 9, 11, 12]; // upper four bits of the opcode
const LOG = { debug() {}, info() {}, warn() {}, error() {} };
const FLAGS = ['N', 'Z', 'C', 'V', 'PM', 'waiting', 'eventRegistered'];

const noise = new Noise(process.argv[2] ?? 'same core');
const below = (n) => Math.floor(noise.fraction() * n);
const one = (...choices) => choices[below(choices.length)]();
const word = () => below(2 ** 32);

function machine(octets) {
    const mcu = new RP2040();
    mcu.logger = LOG;
    mcu.sio.readUint32 = mcu.sio.writeUint32 = () => 0;
    mcu.bootrom.set(new Uint32Array(octets.buffer, 0, mcu.bootrom.length));
    mcu.sram.set(octets);
    mcu.flash.set(octets);
    return mcu;
}

/** What is in a register: anything, or, for loads and stores, what gives an aligned address. */
function value(ofMemory) {
    const address = () => one(() => RAM, () => 0x10000000, () => 0) + 4 * below(0x1000);
    const offset = () => 2 ** 32 * below(2) + 4 * (below(40) - 20);
    if (ofMemory) return one(address, offset);
    return one(address, offset, () => below(40), () => 0x7fffffff + below(2), word);
}

function setUp(mcu, registers, flags, opcode, second) {
    const { core } = mcu;
    core.registers.set(registers);
    FLAGS.forEach((name, k) => (core[name] = k < 4 && flags[k]));
    core.interruptsUpdated = false;
    mcu.sramView.setUint16(CODE - RAM, opcode, true);
    mcu.sramView.setUint16(CODE - RAM + 2, second, true);
}

const state = ({ core }, cycles) =>
    JSON.stringify([[...core.registers], FLAGS.map((name) => core[name]), cycles]);

function compare() {
    const octets = Uint8Array.from({ length: 264 << 10 }, () => noise.octet());
    const [slow, fast] = [machine(octets), machine(octets)];
    const quick = new QuickCore(fast);
    for (let opcode = 0; opcode < 0x10000; opcode++) {
        for (let k = 0; k < STATES; k++) {
            const ofMemory = LOADS_AND_STORES.includes(opcode >> 12);
            const registers = Array.from({ length: 16 }, () => value(ofMemory));
            registers[13] = RAM + 4 * below(0x4000);
            registers[15] = CODE;
            const flags = Array.from({ length: 4 }, () => noise.bit() === 1);
            const second = one(word, () => word() | 0xd000, () => 0x8f40 + below(0x40)) & 0xffff;
            for (const mcu of [slow, fast]) setUp(mcu, registers, flags, opcode, second);
            const right = state(slow, slow.core.executeInstruction());
            const found = state(fast, quick.run(1, 8));
            if (right !== found) return `opcode ${opcode.toString(16)}: ${found}, not ${right}`;
        }
        if (opcode % 256 === 255 && Buffer.compare(slow.sram, fast.sram))
            return `RAM differs after opcodes ${(opcode - 255).toString(16)} and more`;
    }
    return '';
}

const wrong = compare();
console.log(wrong || `${0x10000 * STATES} instructions: the same`);
process.exit(wrong ? 1 : 0);
