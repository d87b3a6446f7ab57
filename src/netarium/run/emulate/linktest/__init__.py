"""Linktest: real hosts probe delay, rate and loss against the description, by code that shares nothing with the engine."""
