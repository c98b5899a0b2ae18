// A serial line out of the emulator, as a TCP port of this machine or a connection to one. Like a
// line it has no memory for what it brings out: octets for which nobody is there are lost. What
// goes in waits here until the receiver takes it at its own rate.
import net from 'node:net';

const HOST = '127.0.0.1';
const MOST_WAITING = 4096; // octets, then the sender is held
const RETRY_MS = 200;

export class Wire {
    constructor() {
        this.port = null;
        this.onArrival = () => {}; // there is something to take again
        this.pending = []; // Buffers
        this.at = 0; // in the first of them
        this.waiting = 0; // octets to take
        this.outgoing = [];
        this.user = null;
    }

    /** @param {string} where a port to listen on (0: any), `connect:PORT`, or `off` */
    async open(where) {
        if (where === 'off') return;
        const [, far, number] = /^(connect:)?(\d+)$/.exec(where) ?? [];
        if (number === undefined)
            throw new Error(`${where}: neither a port, connect:PORT, nor off`);
        if (far) this.connect(Number(number));
        else this.port = await this.listen(Number(number));
    }

    listen(number) {
        return new Promise((resolve, reject) => {
            const server = net.createServer((socket) => this.attach(socket));
            server.on('error', reject);
            server.listen(number, HOST, () => resolve(server.address().port));
        });
    }

    connect(number) {
        const socket = net.connect(number, HOST);
        socket.on('connect', () => this.attach(socket));
        socket.on('error', () => {}); // a close follows
        socket.on('close', () => setTimeout(() => this.connect(number), RETRY_MS));
    }

    /** One user at a time: who comes later takes over. */
    attach(socket) {
        this.user?.destroy();
        this.user = socket;
        socket.setNoDelay(true);
        socket.on('data', (octets) => this.arrived(octets));
        socket.on('error', () => {}); // a close follows
        socket.on('close', () => {
            if (this.user === socket) this.user = null;
        });
    }

    arrived(octets) {
        this.pending.push(octets);
        this.waiting += octets.length;
        if (this.waiting > MOST_WAITING) this.user?.pause();
        this.onArrival();
    }

    /** The next octet from outside; only when `waiting`. */
    take() {
        const [first] = this.pending;
        const octet = first[this.at++];
        if (this.at === first.length) {
            this.pending.shift();
            this.at = 0;
        }
        this.waiting--;
        if (this.waiting === MOST_WAITING) this.user?.resume();
        return octet;
    }

    put(octet) {
        this.outgoing.push(octet);
    }

    /** Bring out what was put. */
    flush() {
        if (!this.outgoing.length) return;
        this.user?.write(Buffer.from(this.outgoing));
        this.outgoing = [];
    }
}
