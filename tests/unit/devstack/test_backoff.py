from devstack.supervision.backoff import Backoff


def test_nothing_has_failed_yet() -> None:
    assert Backoff().delay_s == 0


def test_delays_double_up_to_the_limit() -> None:
    backoff, delays = Backoff(first_s=0.1, most_s=1.0), []
    for _ in range(6):
        backoff = backoff.after(uptime_s=0.5)
        delays.append(round(backoff.delay_s, 3))

    assert delays == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_a_long_uptime_resets_the_backoff() -> None:
    tired = Backoff(first_s=0.1, failures=7)

    assert tired.after(uptime_s=31).delay_s == 0.1
    assert tired.after(uptime_s=29).failures == 8


def test_the_delay_is_bounded_for_any_number_of_failures() -> None:
    assert Backoff(failures=100_000).delay_s == Backoff().most_s
