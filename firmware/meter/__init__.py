"""THE APPLICATION: what measures, counts and remembers, and keeps the model true.

clock        UTC as day and second; the standard's dates
calendar     local time, daylight saving, season, tier: BT53 and BT54 read as they stand
tariff       what the calendar brings along the way of the registers: events, self reads, seasons
element      the interface of what measures, and a simulated one
registers    energy, in total and by tier, and its place in flash: BT23
demand       maxima of power, cumulative demand: the rest of BT23
copies       copies of BT23: self reads (BT26), demand resets (ET41, BT25)
daily        consumption by day: ET12
profiles     the load profile: four rings of intervals, BT60 to BT67
quality      voltage, current and distortion held against limits; outages
control      what is switched: the load, relays, tariffs, power limit, credit
application  the way of energy through all of them, as one part

What is rarely needed stands in modules of its own, which `rare.run` loads and lets go of.
"""
