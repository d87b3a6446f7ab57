"""Operate: the runner that takes a trial from text to record, and the command line over it."""
