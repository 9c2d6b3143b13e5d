"""Numbers that plan and kernel agree on."""

# What an event does to a state row.
LAST_AT, FIRST_AT, ADD_COUNT, LAST_CODE, DECAY, SEE, GAP, OPEN, CLOSE = range(9)
ADD_SUM, LAST_NUMBER, FIRST_NUMBER, EVER_EXTREME, PUSH_HIGH, PUSH_LOW = range(9, 15)
DISTINCT, HIGH, LOW = range(15, 18)

# What an output node reads; nodes lie sorted by these.
COUNT, TOTAL, MEAN, NUMBER, SINCE, EXTREME, CODE_IS, DECAYED, HOUR, WEEKDAY, SEASON = range(11)
FIRST_OF_PARTS = 11
RATIO, DIFFERENCE, TREND, RATE = range(11, 15)

# Bits of an event: calendar classes first, then the plan's conditions on data fields.
CALENDAR = {"weekend": 1, "night": 2, "working hours": 4}
FIRST_CONDITION = 3
