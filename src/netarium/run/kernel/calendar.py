"""The near future: a calendar of short sorted lists, one a day, whose length follows the density of events.

A calendar queue (R. Brown, Communications of the ACM 31(10), 1988) without its years: it holds only the next DAYS days, a list
for each, and bit maps find the next day that has an event. Days are about as long as the mean distance of two
events, so a list has about one entry. What lies further ahead, or would make a list long, goes to the heap; so a bad guess
of the length costs speed, never order.
"""

from __future__ import annotations

from . import heap
from .instructions import before, bit, lowest_bit
from .jit import kernel
from .records import NONE

DAYS_LOG2 = 16
DAYS = 1 << DAYS_LOG2
WORD_BITS = 6
"""A day with an event is marked in a word of 64 days, such a word in a week of 64 words, such a week in one word more. While
events are about a day apart the next one mostly lies in the same word, so more levels cost nothing."""
NODES = 1 << 15
"""Most events that the calendar holds."""
STEPS_MAX = 8
"""Longest walk along a day's list."""
DAY_LOG2_FIRST = 20
"""log2 of a day's picoseconds to begin with: a microsecond."""
TUNE_EVENTS = 4096
"""Least number of events between two looks at their density."""


@kernel(inline=True)
def first(sim):
    """The entry of the earliest event in the calendar, or NONE."""
    counters = sim.counters[0]
    today = (counters.now_ps >> counters.day_log2) & (DAYS - 1)
    word = today >> WORD_BITS
    marks = int(sim.days[word]) & (-1 << (today & 63))
    if marks == 0:
        if counters.weeks == 0:
            return NONE
        word = next_word(sim, word)
        marks = int(sim.days[word])
    return sim.day_first[(word << WORD_BITS) + lowest_bit(marks)]


@kernel
def next_word(sim, word):
    """The next word with a mark after `word`, around the end of the calendar if need be; there is one."""
    week = word >> WORD_BITS
    words = int(sim.weeks[week]) & (-1 << (word & 63)) & ~bit(word & 63)
    if words == 0:
        weeks = sim.counters[0].weeks
        later = weeks & (-1 << week) & ~bit(week)
        week = lowest_bit(later if later != 0 else weeks)
        words = int(sim.weeks[week])
    return (week << WORD_BITS) + lowest_bit(words)


@kernel(inline=True)
def mark(sim, word):
    """Note that `word` has a mark."""
    week = word >> WORD_BITS
    sim.weeks[week] = int(sim.weeks[week]) | bit(word & 63)
    sim.counters[0].weeks |= bit(week)


@kernel(inline=True)
def unmark(sim, word):
    """Note that `word` has no mark any more."""
    week = word >> WORD_BITS
    words = int(sim.weeks[week]) & ~bit(word & 63)
    sim.weeks[week] = words
    if words == 0:
        sim.counters[0].weeks &= ~bit(week)


@kernel(inline=True)
def remove_first(sim, node):
    """Take off the first entry of its day."""
    counters = sim.counters[0]
    entry = sim.near[node]
    day = (entry.time_ps >> counters.day_log2) & (DAYS - 1)
    following = entry.next
    if following == NONE:
        word = day >> WORD_BITS
        marks = int(sim.days[word]) & ~bit(day & 63)
        sim.days[word] = marks
        if marks == 0:
            unmark(sim, word)
    else:
        sim.day_first[day] = following
    entry.next = counters.near_free
    counters.near_free = node


@kernel
def insert(sim, time_ps, key):
    """Enter an event; False when it lies too far ahead, or where a list has grown long."""
    counters = sim.counters[0]
    number = time_ps >> counters.day_log2
    ahead = number - (counters.now_ps >> counters.day_log2)
    node = counters.near_free
    if ahead >= DAYS or ahead < 0 or node == NONE:
        return False
    entry = sim.near[node]
    following = entry.next
    day = number & (DAYS - 1)
    word = day >> WORD_BITS
    marks = int(sim.days[word])
    own = bit(day & 63)
    if marks & own == 0:
        sim.days[word] = marks | own
        if marks == 0:
            mark(sim, word)
        sim.day_first[day] = node
        entry.next = NONE
    else:
        at = sim.day_first[day]
        if before(time_ps, key, sim.near[at].time_ps, sim.near[at].key):
            sim.day_first[day] = node
            entry.next = at
        else:
            steps = 0
            coming = sim.near[at].next
            while coming != NONE and before(sim.near[coming].time_ps, sim.near[coming].key, time_ps, key):
                at = coming
                coming = sim.near[at].next
                steps += 1
                if steps == STEPS_MAX:
                    return False
            sim.near[at].next = node
            entry.next = coming
    entry.time_ps = time_ps
    entry.key = key
    counters.near_free = following
    return True


@kernel
def tune(sim):
    """Let the length of a day follow the mean distance of the latest events; called every TUNE_EVENTS events or so."""
    counters = sim.counters[0]
    distance_ps = (counters.now_ps - counters.tuned_ps) // (counters.events - counters.tuned_events)
    counters.tuned_ps = counters.now_ps
    counters.tuned_events = counters.events
    wanted = 0
    while distance_ps > 1 and wanted < 40:
        distance_ps >>= 1
        wanted += 1
    if abs(wanted - counters.day_log2) >= 2:
        relabel(sim, wanted)


@kernel
def relabel(sim, day_log2):
    """Days get another length: every entry moves to its new day, or to the heap where that is too far ahead."""
    counters = sim.counters[0]
    chain = NONE
    node = first(sim)
    while node != NONE:
        remove_first(sim, node)
        entry = sim.near[node]
        counters.near_free = entry.next
        entry.next = chain
        chain = node
        node = first(sim)
    counters.day_log2 = day_log2
    while chain != NONE:
        entry = sim.near[chain]
        time_ps, key, following = entry.time_ps, entry.key, entry.next
        entry.next = counters.near_free
        counters.near_free = chain
        if not insert(sim, time_ps, key):
            heap.push(sim, time_ps, key)
        chain = following
