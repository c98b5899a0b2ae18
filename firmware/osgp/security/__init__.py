"""What proves and hides: the two suites of the power line, and CMAC and CCM for commissioning.

Only arithmetic lives here. Which key, which number and what is answered is decided in
`osgp/envelope.py` and `osgp/commissioning.py`; the work per octet is in `osgp/kernels.py`. Whoever
compares a digest or a tag does it with `kernels.equal`, which takes the same time wherever the
difference is.

A suite is the module of a security mode: `legacy` (mode 0: OMA digest and RC4) or `aes` (mode 2:
AES-128, CCM and CMAC). `Envelope.make` loads that of the member's mode with `rare.load` and holds
it: of the two one is in memory. Its class `Suite` has one key and the message at hand:

    Suite(envelope, key, broadcast=False)
        key: 16 octets, of which mode 0 takes 12. envelope: `member` (own subnet and node),
        `encrypted`; mode 2 also `aes` and `uid`. broadcast: messages to all, under the broadcast
        key, subnet and node 0; mode 2: direction 02, UID 0, subkey ENCB.
    open(buf, a, d) -> bool
        The APDU buf[a:d], its digest or tag in buf[d:d+8]. True: it holds, and buf[a+1:d-4] is the
        command in clear, buf[d-4:d] its number. False: buf is of no use any more (mode 0) or as it
        was (mode 2). As long, wherever it is wrong.
    seal(out, o, end) -> end
        Hides and proves the answer out[o:end] to the request that was opened last.
    refuse(buf, a, end, out, o, n) -> end
        The answer out[o:n], a 0B or 0C to the request buf[a:end], gets what proves it.

Broadcasts: `osgp/security/broadcast.py` (rare) opens one under the key in force or the one that
EP20 brought, and says from which B on its number may be.
"""
