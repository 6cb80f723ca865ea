"""The command line: ``python -m emulator --port N --orders N --seed S --now T``."""

import argparse
import os
import signal
import sys
import time
from threading import Event

from emulator.app import DEFAULT_KEY, Emulator
from emulator.clock import check_clock_range, format_datetime, parse_datetime
from emulator.data_sets import DATA_SETS, DEMO, RANDOM
from emulator.order_columns import DAY
from emulator.server import Server
from emulator.validation import SECONDS


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM. Returns 1, with one line on stderr, if it cannot start."""
    args = _parse_arguments(argv)
    if args.now is None:
        args.now = _start_of_clock(args.data, int(time.time()))
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    emulator = Emulator(
        orders=args.orders,
        seed=args.seed,
        now=args.now,
        key=os.environ.get("EMULATOR_API_KEY") or DEFAULT_KEY,
        data=args.data,
    )
    try:
        emulator.store.switches.update(dict(args.switch))
        server = Server(emulator, host=args.host, port=args.port)
    except (OSError, ValueError) as error:
        print(f"Goody emulator: {error}", file=sys.stderr)
        return 1
    _serve(server, args, stop)
    return 0


def _serve(server: Server, args: argparse.Namespace, stop: Event) -> None:
    server.emulator.state.latency = args.latency
    server.start()
    orders, now = len(server.emulator.store), format_datetime(args.now)
    summary = f"{orders} orders, seed {args.seed}, now {now}"
    print(f"Goody emulator on {server.url} ({summary})", flush=True)
    stop.wait()
    server.stop()


def _parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulator", description="A fake Goody server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--orders", type=_count, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", choices=DATA_SETS, default=RANDOM)
    parser.add_argument("--now", type=_moment, metavar="T")
    parser.add_argument("--latency", type=_seconds, default=0.0, metavar="SECONDS")
    parser.add_argument("--switch", type=_switch, action="append", default=[], metavar="NAME=VALUE")
    return parser.parse_args(argv)


def _start_of_clock(data: str, now: int) -> int:
    """Return the present for the demo, and today 00:00 UTC for tests."""
    return now if data == DEMO else now // DAY * DAY


def _count(text: str) -> int:
    count = int(text)
    if not 0 <= count <= 10_000_000:
        raise argparse.ArgumentTypeError("between 0 and 10,000,000")
    return count


def _moment(text: str) -> int:
    """Unix seconds of a date (00:00 UTC), an ISO 8601 date-time, or Unix seconds."""
    try:
        if text.isdecimal() and len(text) > 8:
            return int(check_clock_range(int(text)))
        return int(check_clock_range(parse_datetime(text if len(text) > 10 else f"{text}T00:00")))
    except ValueError as error:
        raise argparse.ArgumentTypeError("not a date or date-time from 1980 to 2100") from error


def _seconds(text: str) -> float:
    return float(SECONDS.validate("latency", float(text)))


def _switch(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
