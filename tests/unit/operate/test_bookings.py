"""Booking in time: what is booked is never booked again, whoever asks first; the next free slot is free, and the
first that is."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netarium.describe.loader import loads
from netarium.errors import AdmissionRefused, RecordError, TrialInvalid
from netarium.operate import bookings
from netarium.store.calendar import Calendar

HOUR_S = 3600
FACILITY = """
trial: booked
duration: 1 s
network:
  nodes: {a: {kind: host}, c: {kind: host}, m: {kind: router}, b: {kind: host}}
  links:
    - {endpoints: [a, m], rate: 100 Gbit/s, delay: 1 ms}
    - {endpoints: [m, b], rate: 100 Gbit/s, delay: 1 ms}
    - {endpoints: [c, m], rate: 100 Gbit/s, delay: 1 ms}
slices:
  s: {from: a, to: b, bandwidth: BANDWIDTH, latency: LATENCY}
"""


def wish(gbps: int = 30, latency: str = "10 ms", owner: str = "ann") -> bookings.Wish:
    text = FACILITY.replace("BANDWIDTH", f"{gbps} Gbit/s").replace("LATENCY", latency)
    return bookings.wish(loads(text), owner)


@pytest.fixture
def calendar(tmp_path: Path) -> Calendar:
    return Calendar(tmp_path / "calendar.sqlite")


def test_a_slot_that_is_taken_is_refused_and_free_again_when_released(calendar: Calendar) -> None:
    first = bookings.book(calendar, wish(60), 0, HOUR_S)
    with pytest.raises(AdmissionRefused, match="has 3"):
        bookings.book(calendar, wish(60), HOUR_S - 1, 2 * HOUR_S)
    bookings.book(calendar, wish(60), HOUR_S, 2 * HOUR_S)  # the instant at which the first ends
    with pytest.raises(RecordError, match="is over"):
        calendar.release(first.id)
    now_s = int(time.time())
    running = bookings.book(calendar, wish(60), now_s, now_s + HOUR_S)
    calendar.release(running.id)
    bookings.book(calendar, wish(60), now_s, now_s + HOUR_S)
    with pytest.raises(RecordError, match="released already"):
        calendar.release(running.id)
    with pytest.raises(RecordError, match="no booking 99"):
        calendar.release(99)


def test_latency_that_was_booked_is_protected_too(calendar: Calendar) -> None:
    loud_text = FACILITY.replace("from: a", "from: c").replace("BANDWIDTH", "10 Gbit/s")
    loud = bookings.wish(loads(loud_text.replace("LATENCY", "10 ms, burst: 500 kB")), "bob")
    bookings.book(calendar, wish(10, latency="2001 us"), 0, HOUR_S)
    with pytest.raises(AdmissionRefused, match=r"for the earlier slice s of booking 1 \(ann\)"):
        bookings.book(calendar, loud, 0, HOUR_S)
    bookings.book(calendar, loud, HOUR_S, 2 * HOUR_S)


def test_planned_windows_stay_where_they_were_booked_and_are_free_again_when_released(
    calendar: Calendar,
) -> None:
    """Three messages of 40 % of the period do not fit; the third takes the place of the first when that is released."""
    text = FACILITY.replace("LATENCY", "3 ms, period: 10 us, mechanism: scheduled").replace(
        "BANDWIDTH", "40 Gbit/s"
    )
    planned = bookings.wish(loads(text), "ann")
    now_s = int(time.time())
    booked = [bookings.book(calendar, planned, now_s, now_s + HOUR_S) for _ in range(2)]
    places = [each.slices[0].request["release"] for each in booked]
    assert len(set(places)) == 2
    with pytest.raises(AdmissionRefused):
        bookings.book(calendar, planned, now_s, now_s + HOUR_S)
    calendar.release(booked[0].id)
    again = bookings.book(calendar, planned, now_s, now_s + HOUR_S)
    assert again.slices[0].request["release"] == places[0]


def test_the_next_free_slot_is_the_first_in_which_everything_fits(calendar: Calendar) -> None:
    for start in (0, 1, 3):
        bookings.book(calendar, wish(50), start * HOUR_S, (start + 1) * HOUR_S)
    assert bookings.next_free(calendar, wish(40), 0, 5 * HOUR_S) == 0
    assert bookings.next_free(calendar, wish(50), 0, HOUR_S) == 2 * HOUR_S
    assert bookings.next_free(calendar, wish(50), 0, 2 * HOUR_S) == 4 * HOUR_S
    assert bookings.next_free(calendar, wish(50), 5 * HOUR_S + 7, HOUR_S) == 5 * HOUR_S + 7
    with pytest.raises(AdmissionRefused):
        bookings.next_free(calendar, wish(99), 0, HOUR_S)


def test_other_networks_are_other_facilities(calendar: Calendar) -> None:
    bookings.book(calendar, wish(90), 0, HOUR_S)
    longer = FACILITY.replace("delay: 1 ms", "delay: 2 ms")
    text = longer.replace("BANDWIDTH", "90 Gbit/s").replace("LATENCY", "9 ms")
    bookings.book(calendar, bookings.wish(loads(text), "x"), 0, HOUR_S)


def test_a_trial_without_slices_has_nothing_to_book() -> None:
    text = FACILITY.split("slices:")[0] + "services: {x: {kind: bulk, from: a, to: b}}"
    with pytest.raises(TrialInvalid, match="best effort needs no booking"):
        bookings.wish(loads(text), "ann")


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4), st.sampled_from([20, 40, 60])), max_size=9))
def test_no_instant_has_more_booked_than_slices_may_take(tmp_path_factory, wishes) -> None:
    calendar = Calendar(tmp_path_factory.mktemp("calendar") / "c.sqlite")
    taken = [0] * 12
    for start, hours, gbps in wishes:
        slots = range(start, start + hours)
        fits = all(taken[slot] + gbps * 1538 / 1500 <= 95 for slot in slots)
        try:
            bookings.book(calendar, wish(gbps), start * HOUR_S, (start + hours) * HOUR_S)
        except AdmissionRefused:
            assert not fits
            continue
        assert fits
        for slot in slots:
            taken[slot] += gbps * 1538 / 1500
    for port in ("a->m", "m->b"):
        assert calendar.most_taken_bps(wish().facility, port, 0, 12 * HOUR_S) <= 95e9


def _try(path: Path, owner: str, answers: multiprocessing.Queue) -> None:
    try:
        answers.put(bookings.book(Calendar(path), wish(30, owner=owner), 0, HOUR_S).owner)
    except AdmissionRefused:
        answers.put(None)


def test_of_many_who_ask_at_once_only_those_get_it_for_whom_there_is_room(tmp_path: Path) -> None:
    path, context = tmp_path / "calendar.sqlite", multiprocessing.get_context("fork")
    answers = context.Queue()
    asking = [context.Process(target=_try, args=(path, f"user{i}", answers)) for i in range(8)]
    for process in asking:
        process.start()
    got = [answers.get(timeout=60) for _ in asking]
    for process in asking:
        process.join(timeout=60)
    booked = Calendar(path).all()
    assert sorted(each.owner for each in booked) == sorted(owner for owner in got if owner)
    assert (
        len(booked) == 3
    )  # of 100 Gbit/s 95 can be reserved, and 30 Gbit/s of packets are 30.76 on the wire
    assert Calendar(path).most_taken_bps(wish().facility, "a->m", 0, HOUR_S) == 3 * 30_760_000_000


def test_a_file_that_is_no_calendar_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, and long enough to be read as one" * 20)
    with pytest.raises(RecordError, match="cannot be used as a calendar"):
        Calendar(tmp_path / "notes.txt")


def test_the_commands_book_list_find_and_release(cli, folder: Path) -> None:
    text = FACILITY.replace("BANDWIDTH", "60 Gbit/s").replace("LATENCY", "9 ms")
    (folder / "booked.trial.yml").write_text(text)
    later = ("--start", "2099-01-01T09:00+00:00", "--for", "2 h", "--calendar", "c.sqlite")
    booked = cli("slices", "book", "booked.trial.yml", *later, "--owner", "ann")
    assert booked.exit_code == 0 and booked.stdout.startswith("booking 1: 1 slice of booked for ann")
    refused = cli("slices", "book", "booked.trial.yml", *later, "--owner", "bob")
    assert refused.exit_code == 3
    assert "The whole trial fits from 2099-01-01 11:00:00" in refused.stderr.replace("\n", " ")
    assert "has 3" in refused.stderr and "later time" not in refused.stderr
    free = cli("slices", "free", "booked.trial.yml", *later)
    assert free.stdout.startswith("free from 2099-01-01 11:00:00")
    assert "ann" in cli("slices", "list", "--calendar", "c.sqlite").stdout
    assert cli("slices", "release", "1", "--calendar", "c.sqlite").exit_code == 0
    assert cli("slices", "book", "booked.trial.yml", *later, "--owner", "bob").exit_code == 0
    assert "ann" not in cli("slices", "list", "--calendar", "c.sqlite").stdout
    over = cli("slices", "book", "booked.trial.yml", "--start", "2020-01-01T09:00+00:00", "--for", "2 h")
    assert over.exit_code == 2 and "in the past" in over.stderr
    wrong = cli("slices", "book", "booked.trial.yml", "--start", "soon")
    assert wrong.exit_code == 2 and "expected 'now', or a date and time" in wrong.stderr
