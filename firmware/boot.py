"""Start-up: the bank to run is put on the path. Nothing of that stays on the heap."""

import bank_choice

bank_choice.start()
del bank_choice
