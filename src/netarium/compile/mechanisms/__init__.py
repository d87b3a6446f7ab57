"""What each mechanism at ports promises, in closed form, and its parameters for a port: one file a mechanism.

`encode(...)` gives the queue of the description (describe/tsn.py) that a port gets for the streams on it; `bound(...)` what a
packet meets there at most. Both are pure functions of rates, sizes and times. A stream finds its class by the priority
of its packets, so whoever places streams gives them the priority that the queue maps to their class.
"""
