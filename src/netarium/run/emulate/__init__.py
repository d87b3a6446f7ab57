"""Real time: the engine paced by the wall clock, with real Linux hosts at its edges."""
