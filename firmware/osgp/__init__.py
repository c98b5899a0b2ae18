"""The doors of the device: octets in, octets out. From the wire to the model:

    link      lon/mip.py          MIP/U50 on a UART: code packets, numbers, acknowledgements
              lon/cnip.py         or CN/IP on UDP; nobody above knows which
    layer 3   lon/npdu.py         is this frame sound, and for us?
    layer 4/5 lon/transport.py    receive records: duplicates, answers, silence after start
              lon/outgoing.py     what this device asks others
              lon/node.py         the part that joins them, and the dispatch by APDU code
                5x 6x 7x            lon/management.py   who are you, how are you
                45 4A               lon/discovery.py    who is there
                46 47               commissioning.py    become a member
                4D                  lon/repeater.py     pass it on
                00                  envelope.py         digest, cipher, sequence number
                00 to all           broadcast.py        the same for a broadcast
    layer 7   services.py         read and write of tables, the one way into the model
              procedures/         BT07 and BT08: what a write sets off
              system.py           the tables that say what this device is

The work per octet is in kernels.py; security/ holds what is rare (base key, CCM, CMAC).
"""
