"""Repeats: what several seeds of one trial say together; everything works on plain arrays of metrics.

One run is one sample. `estimates` gives a value with its interval, `pairs` the difference of two variants over
the seeds both have, `factors` the effect of one swept parameter, `power` how many seeds would be enough, `holm`
corrects for many comparisons, `direction` says whether more of a metric is better.
"""
