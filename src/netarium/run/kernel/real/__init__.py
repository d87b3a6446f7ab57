"""Frames of real hosts in the engine: read from their interfaces, carried like any packet, written where they arrive."""
