// Firmware images: UF2 (https://github.com/microsoft/uf2) for the RP2040, or a plain binary for
// offset 0.

const MAGICS = [0x0a324655, 0x9e5d5157];
const MAGIC_END = 0x0ab16f30;
const RP2040 = 0xe48bff56;
const NOT_MAIN_FLASH = 1;
const FLASH_BASE = 0x10000000;
const BLOCK = 512;

/**
 * @param {Buffer} file
 * @returns {{offset: number, octets: Buffer}[]} pieces and where in the flash they belong
 */
export function readImage(file) {
    if (file.length < 4 || file.readUInt32LE(0) !== MAGICS[0])
        return [{ offset: 0, octets: file }];
    if (file.length % BLOCK) throw new Error('the UF2 image is cut short');
    const pieces = [];
    for (let at = 0; at < file.length; at += BLOCK) {
        const block = file.subarray(at, at + BLOCK);
        if (block.readUInt32LE(4) !== MAGICS[1] || block.readUInt32LE(508) !== MAGIC_END) {
            throw new Error(`no UF2 block at ${at}`);
        }
        if (block.readUInt32LE(8) & NOT_MAIN_FLASH) continue;
        if (block.readUInt32LE(28) !== RP2040)
            throw new Error('the UF2 image is not for an RP2040');
        const size = block.readUInt32LE(16);
        const offset = block.readUInt32LE(12) - FLASH_BASE;
        pieces.push({ offset, octets: block.subarray(32, 32 + size) });
    }
    if (pieces.length < file.readUInt32LE(24)) throw new Error('the UF2 image is cut short');
    return pieces;
}
