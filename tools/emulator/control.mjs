// One JSON object a line: commands on stdin, answers and events on stdout. The end of stdin is the
// end of the emulator, so that it does not outlive who started it.
import readline from 'node:readline';

export function say(object) {
    process.stdout.write(`${JSON.stringify(object)}\n`);
}

/** @param {Pico} pico */
export function obey(pico) {
    const { flash } = pico;
    const commands = {
        time: () => ({ ms: pico.now() / 1e6 }),
        stats: ({ clear = false }) => {
            const stats = pico.stats();
            if (clear) pico.clearLongest();
            return stats;
        },
        bursts: ({ uart }) => ({ bursts: pico.records[uart].takeBursts() }),
        // Without `operation`: now. Else in the midst of the so-many-th erase or program from now.
        'power-cut': ({ operation = 0 }) => {
            flash.cutAfter = operation;
            if (!operation) flash.onCut();
            return {};
        },
        watchdog: () => {
            pico.bite();
            return {};
        },
        quit: () => process.exit(0),
    };
    flash.onCut = () => {
        say({ event: 'power-cut', ms: pico.now() / 1e6 });
        process.exit(0);
    };
    const lines = readline.createInterface({ input: process.stdin });
    lines.on('line', (line) => say(execute(commands, line)));
    lines.on('close', () => process.exit(0));
}

function execute(commands, line) {
    try {
        const { cmd, ...rest } = JSON.parse(line);
        if (!Object.hasOwn(commands, cmd)) return { error: `no command ${cmd}` };
        return { cmd, ...commands[cmd](rest) };
    } catch (error) {
        return { error: error.message };
    }
}
