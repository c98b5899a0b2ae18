// The REPL: the host's end of the board's USB serial port.
import { USBCDC } from 'rp2040js';

const PACKET = 64;

/**
 * Join the board's USB serial port to a wire.
 *
 * rp2040js answers an idle read of the device with empty packets, every ten microseconds, and the
 * interrupts slow it down 2.6 times. A real host says NAK: so the read is held until there is
 * something to send.
 */
export function joinRepl(usb, wire) {
    const cdc = new USBCDC(usb);
    const answer = usb.onEndpointRead;
    let held = null; // [endpoint, size] of a read that has no answer yet

    const pump = () => {
        while (wire.waiting && cdc.txFIFO.itemCount < PACKET) cdc.sendSerialByte(wire.take());
        if (!held || cdc.txFIFO.empty) return;
        const read = held;
        held = null;
        answer(...read);
    };
    usb.onEndpointRead = (endpoint, size) => {
        if (endpoint !== cdc.outEndpoint) {
            answer(endpoint, size);
            return;
        }
        held = [endpoint, size];
        pump();
    };
    cdc.onSerialData = (octets) => octets.forEach((octet) => wire.put(octet));
    wire.onArrival = pump;
}
