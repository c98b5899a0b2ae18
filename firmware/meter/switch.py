"""What switches: the contactor in front of the consumer, and the control relays.

A board that has them offers `switch` with the parts of `Remembering`; one that has none gets that.
The contactor is a latching one: it stays where it is without power, and a pulse moves it.
"""


class Remembering:
    """No hardware: it remembers what it was told.

    opened: what the contactor's sensor says; None: not known
    pressed: the button was, since this was last set to False
    load_voltage: there is voltage at the consumer's side
    relays: the control relays, True: closed
    """

    def __init__(self):
        self.opened = None
        self.pressed = False
        self.load_voltage = False
        self.relays = [False, False]

    def disconnect(self, opened: bool):
        """Begin the pulse that opens or closes the contactor; `opened` follows it."""
        self.opened = opened

    def relay(self, k: int, closed: bool):
        """Drive control relay 0 or 1."""
        self.relays[k] = closed
