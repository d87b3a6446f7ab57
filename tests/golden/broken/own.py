"""A file that a broken trial takes the wrong name from."""


def my_queue() -> None:
    """Stands for a queue; it is never run."""
