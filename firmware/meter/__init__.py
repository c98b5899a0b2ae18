"""THE APPLICATION: what measures, counts and remembers, and keeps the model true.

clock        UTC as day and second; the standard's dates
calendar     local time, daylight saving, season, tier: BT53 and BT54 read as they stand
element      the interface of what measures, and a simulated one
registers    energy, in total and by tier, and its place in flash
profile      the load profile: a ring of intervals, served as BT64
application  the five together, as one part
"""
