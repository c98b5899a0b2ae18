// Memory as the quick core (core.mjs) sees it: RAM, flash and boot ROM at once, and rp2040js for the
// rest. Unaligned words are its own, too.
export const ROM_SIZE = 16 << 10; // from 0
export const FLASH = 0x10000000;
export const FLASH_SIZE = 16 << 20;
export const RAM = 0x20000000;
export const RAM_SIZE = 264 << 10;
const TIMER_PAGE = 0x40054;
const SIO_PAGE = 0xd0000; // knows no time, and divides

/**
 * Loads into the registers `r` and stores. They return the instruction's cycles. `tell` and
 * `outside`: see core.mjs.
 */
export function bus(mcu, r, tell, outside) {
    const { core } = mcu;
    const ram8 = mcu.sram;
    const ram16 = new Uint16Array(ram8.buffer);
    const ram32 = new Int32Array(ram8.buffer);
    const rom32 = new Int32Array(mcu.bootrom.buffer);
    const flash8 = mcu.flash;
    const flash16 = new Uint16Array(flash8.buffer);
    const flash32 = new Int32Array(flash8.buffer);

    function loadWord(register, address) {
        const at = (address ^ RAM) >>> 0;
        if (at < RAM_SIZE && !(at & 3)) r[register] = ram32[at >> 2];
        else return loadWordElsewhere(register, address);
        return 2;
    }

    function loadWordElsewhere(register, address) {
        const at = (address ^ FLASH) >>> 0;
        if (at < FLASH_SIZE && !(at & 3)) {
            r[register] = flash32[at >> 2];
            return 2;
        }
        if (address >>> 0 < ROM_SIZE && !(address & 3)) {
            r[register] = rom32[address >> 2];
            return 2;
        }
        const page = address >>> 12;
        if (page === TIMER_PAGE) tell();
        else if (page !== SIO_PAGE) outside();
        r[register] = mcu.readUint32(address >>> 0);
        return 1 + core.cyclesIO(address);
    }

    function loadHalfWord(register, address) {
        const at = (address ^ RAM) >>> 0;
        const inFlash = (address ^ FLASH) >>> 0;
        if (at < RAM_SIZE && !(at & 1)) r[register] = ram16[at >> 1];
        else if (inFlash < FLASH_SIZE && !(at & 1)) r[register] = flash16[inFlash >> 1];
        else {
            outside();
            r[register] = mcu.readUint16(address >>> 0);
            return 1 + core.cyclesIO(address);
        }
        return 2;
    }

    function loadOctet(register, address) {
        const at = (address ^ RAM) >>> 0;
        const inFlash = (address ^ FLASH) >>> 0;
        if (at < RAM_SIZE) r[register] = ram8[at];
        else if (inFlash < FLASH_SIZE) r[register] = flash8[inFlash];
        else {
            outside();
            r[register] = mcu.readUint8(address >>> 0);
            return 1 + core.cyclesIO(address);
        }
        return 2;
    }

    function storeWord(address, value) {
        const at = (address ^ RAM) >>> 0;
        if (at < RAM_SIZE && !(at & 3)) ram32[at >> 2] = value;
        else {
            if (address >>> 12 !== SIO_PAGE) outside();
            mcu.writeUint32(address >>> 0, value >>> 0);
            return 1 + core.cyclesIO(address, true);
        }
        return 2;
    }

    function storeHalfWord(address, value) {
        const at = (address ^ RAM) >>> 0;
        if (at < RAM_SIZE && !(at & 1)) ram16[at >> 1] = value;
        else {
            outside();
            mcu.writeUint16(address >>> 0, value >>> 0);
            return 1 + core.cyclesIO(address, true);
        }
        return 2;
    }

    function storeOctet(address, value) {
        const at = (address ^ RAM) >>> 0;
        if (at < RAM_SIZE) ram8[at] = value;
        else {
            outside();
            mcu.writeUint8(address >>> 0, value >>> 0);
            return 1 + core.cyclesIO(address, true);
        }
        return 2;
    }

    return { loadWord, loadHalfWord, loadOctet, storeWord, storeHalfWord, storeOctet };
}
