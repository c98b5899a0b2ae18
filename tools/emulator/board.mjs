// An emulated Raspberry Pi Pico. See README.md; tools/osgp_tools/emulator.py starts it from
// Python.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { obey, say } from './control.mjs';
import { Flash, scattered, typical, worst } from './flash.mjs';
import { readImage } from './image.mjs';
import { Noise } from './noise.mjs';
import { Pace } from './pace.mjs';
import { Pico } from './pico.mjs';
import { Wire } from './wire.mjs';

const CYCLES = 400_000; // between two looks at the outside, some 10 ms
const REST_MS = 1;

const OPTIONS = {
    bootrom: { type: 'string' },
    image: { type: 'string' },
    flash: { type: 'string' },
    repl: { type: 'string', default: '0' },
    uart0: { type: 'string', default: 'off' },
    uart1: { type: 'string', default: 'off' },
    speed: { type: 'string', default: '1' },
    random: { type: 'string', default: 'os' },
    'flash-times': { type: 'string', default: 'typical' },
    tear: { type: 'string' },
};

async function main() {
    const { values: options } = parseArgs({ options: OPTIONS });
    if (!options.bootrom) throw new Error('--bootrom is missing');
    const speed = Number(options.speed);
    if (!(speed >= 0)) throw new Error(`--speed ${options.speed}: not a number from 0`);
    const flash = new Flash({
        file: options.flash,
        duration: flashTimes(options['flash-times']),
        tear: options.tear === undefined ? undefined : new Noise(options.tear),
    });
    if (options.image) flash.install(readImage(fs.readFileSync(options.image)));
    const wires = { repl: new Wire(), uart0: new Wire(), uart1: new Wire() };
    for (const [name, wire] of Object.entries(wires)) await wire.open(options[name]);

    const pico = new Pico({
        bootrom: readBootrom(options.bootrom),
        flash,
        wires,
        randomBit: randomBits(options.random),
        onReset: (reason) => say({ event: 'reset', reason, ms: pico.now() / 1e6 }),
    });
    obey(pico);
    const ports = Object.fromEntries(
        Object.entries(wires).map(([name, wire]) => [name, wire.port]),
    );
    say({ event: 'ready', ...ports });
    run(pico, new Pace(speed), Object.values(wires));
}

function run(pico, pace, wires) {
    const turn = () => {
        const limit = pace.limit(pico.now());
        pico.run(limit, CYCLES);
        for (const wire of wires) wire.flush();
        if (pico.now() >= limit) setTimeout(turn, REST_MS);
        else setImmediate(turn);
    };
    turn();
}

function readBootrom(name) {
    const { buffer, byteOffset, length } = fs.readFileSync(name);
    return new Uint32Array(buffer.slice(byteOffset, byteOffset + length));
}

function flashTimes(text) {
    if (text === 'typical') return typical;
    if (text === 'worst') return worst;
    return scattered(new Noise(text));
}

/** What the register of the random bit reads. */
function randomBits(text) {
    if (text === 'constant') return () => 0xffffffff;
    if (text === 'stuck') return () => 1;
    const noise = new Noise(text === 'os' ? undefined : text);
    return () => noise.bit();
}

try {
    await main();
} catch (error) {
    console.error(`emulated Pico: ${error.message}`);
    process.exit(2);
}
