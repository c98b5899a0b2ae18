"""What proves and hides: OMA digest and keys (mode 0), AES-CCM and CMAC (commissioning).

Only arithmetic lives here. Which key, which number and what is answered is decided in
`osgp/envelope.py` and `osgp/commissioning.py`; the work per octet is in `osgp/kernels.py`. Whoever
compares a digest or a tag does it with `kernels.equal`, which takes the same time wherever the
difference is.
"""
