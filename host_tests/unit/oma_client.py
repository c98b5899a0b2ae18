"""The other end of security mode 0, from `osgp.md` 2 alone: no code of the firmware is in here.

For tests. It is slow, and says nothing more than the description does.
"""


def feed(state, key, pos, message):
    """The OMA digest (2.1) goes on over a message. state: 8 octets, changed. Returns pos."""
    rounds = len(key) if len(key) == 6 else len(key) * 3 // 2
    for octet in message:
        v = 7 - (pos & 7)
        n = ~(state[v] + v) & 0xFF
        if key[(pos >> 3) % len(key)] >> (pos & 7) & 1:
            r = (n << 1 | n >> 7) & 0xFF
        else:
            r = -(n >> 1 | n << 7 & 0x80) & 0xFF
        state[v] = (state[(v + 1) & 7] + octet + r) & 0xFF
        pos = (pos + 1) % (rounds * 8)
    return pos


def finish(state, key, pos):
    """The digest that a state and position come to: zeros until pos wraps to 0."""
    state = bytearray(state)
    while pos:
        pos = feed(state, key, pos, b"\x00")
    return bytes(state)


def base_key(omak):
    """2.2: E(C1) and E(C2), six key octets over 48 zeros."""
    halves = b""
    for constant in (b"\x81\x3f\x52\x9a\x7b\xe3\x89\xba", b"\x72\xb0\x91\x8d\x44\x05\xaa\x57"):
        state = bytearray(constant)
        feed(state, omak[:6], 0, bytes(48))
        halves += bytes(state)
    return halves


class Rc4:
    """Plain RC4 that goes on from call to call."""

    def __init__(self, key):
        s = list(range(256))
        j = 0
        for i in range(256):
            j = (j + s[i] + key[i % len(key)]) & 0xFF
            s[i], s[j] = s[j], s[i]
        self.s = s
        self.i = self.j = 0

    def copy(self):
        """Another one that has got as far."""
        other = Rc4(b"any")
        other.s = list(self.s)
        other.i, other.j = self.i, self.j
        return other

    def crypt(self, text):
        s = self.s
        out = bytearray(text)
        for k in range(len(out)):
            self.i = (self.i + 1) & 0xFF
            self.j = (self.j + s[self.i]) & 0xFF
            s[self.i], s[self.j] = s[self.j], s[self.i]
            out[k] ^= s[(s[self.i] + s[self.j]) & 0xFF]
        return bytes(out)


def message_cipher(omak, digest):
    """The RC4 of one message: its digest over the first half of the base key."""
    base = base_key(omak)
    return Rc4(bytes(base[k] ^ digest[k] for k in range(8)) + base[8:])


class Client:
    """Makes requests for one device and judges its answers."""

    def __init__(self, omak, subnet, node):
        self.omak = omak
        self.address = bytes((subnet, node))
        self._state = bytearray(8)
        self._pos = 0
        self._rc4 = None

    def request(self, command, number, encrypted=True, surplus=0):
        """An APDU with the command under a sequence number.

        surplus: zeros behind the number; negative: octets less.
        """
        text = command + number.to_bytes(4, "big")
        text = text + bytes(surplus) if surplus > 0 else text[: len(text) + surplus]
        self._state = bytearray(8)
        self._pos = feed(self._state, self.omak, 0, self.address + b"\x00" + text)
        digest = finish(self._state, self.omak, self._pos)
        self._rc4 = None
        if encrypted:
            self._rc4 = message_cipher(self.omak, digest)
            text = self._rc4.crypt(text)
        return b"\x00" + text + digest

    def answer(self, apdu):
        """The answer in clear, code first. AssertionError: it is not bound to the request.

        As often as one likes: each time the cipher goes on from the request.
        """
        assert apdu[0] == 0
        assert len(apdu) >= 10
        text = apdu[1:-8]
        number = text[0] == 0x0C and len(text) == 5  # in clear always
        if self._rc4 and not number:
            text = self._rc4.copy().crypt(text)
        state = bytearray(self._state)
        pos = feed(state, self.omak, self._pos, b"\x00" + text)
        assert apdu[-8:] == finish(state, self.omak, pos), "the answer's digest is wrong"
        return text
