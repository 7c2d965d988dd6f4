"""Sends each request of the catalogue to httpbin directly and through a proxy, by each client, and prints the differences.

    compare.py DIRECT PROXIED [--adds NAME:VALUE]... [--http2]
"""

import argparse
import dataclasses
import json
import sys

from catalogue import Case, cases
from clients import Answer, over_http1, over_http2

# Fields that belong to a connection or to the moment: they are not compared.
NOT_COMPARED = {"connection", "keep-alive", "transfer-encoding", "date"}

# What clients ask the proxy for.
HOST = "edge.test"

# Request fields that end at a proxy (RFC 9110 section 7.6.1), or are answered by it.
END_AT_PROXY = {"te", "keep-alive", "expect"}


# What httpbin shows of a request that says that it has no body.
NO_LENGTH = b'    "Content-Length": "0",\n'

# How data begins that is compressed by gzip.
GZIP = b"\x1f\x8b"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("direct")
    parser.add_argument("proxied")
    parser.add_argument("--adds", action="append", default=[], help="a request field that the proxy adds")
    parser.add_argument("--http2", action="store_true", help="ask the proxy over HTTP/2, too")
    options = parser.parse_args()
    # httpbin shows the fields that it got. So a direct request has what the proxy adds, but for `Via`, the client's
    # address and the scheme, which httpbin hides; and it lacks what ends at a proxy.
    added = dict(field.split(":", 1) for field in options.adds)
    compared, differing = 0, 0
    for client in over_http1():
        expected = client.send(options.direct, with_fields(cases(), added, END_AT_PROXY))
        also = [other for other in over_http2() if options.http2 and other.name.startswith(client.name)]
        for other in [client, *also]:
            # HTTP/2 has no fields of a connection (RFC 9113 section 8.2.2).
            without = END_AT_PROXY if "HTTP/2" in other.name else set()
            found = other.send(options.proxied, with_fields(cases(), {"Host": HOST}, without))
            for case, before, after in zip(cases(), expected, found, strict=True):
                compared += 1
                for difference in differences(case, before, after):
                    differing += 1
                    print(f"{other.name}: {case.name}: {difference}")
    print(f"{compared} compared, {differing} differences")
    return 1 if differing else 0


def with_fields(cases: list[Case], added: dict[str, str], without: set[str] = frozenset()) -> list[Case]:
    def fields(case: Case) -> dict[str, str]:
        return {name: value for name, value in case.headers.items() if name.lower() not in without} | added

    return [dataclasses.replace(case, headers=fields(case)) for case in cases]


def differences(case: Case, expected: Answer, found: Answer) -> list[str]:
    differing = []
    if expected.status != found.status:
        differing.append(f"status {expected.status} became {found.status}: {found.body[:200]!r}")
    before, after = fields(case, expected), fields(case, found)
    if before != after:
        lost = [f"{name}: {value}" for name, value in before if (name, value) not in after]
        new = [f"{name}: {value}" for name, value in after if (name, value) not in before]
        differing.append(f"fields lost {lost}, new {new}" if lost or new else "fields in another order")
    if body(case, expected) != body(case, found):
        differing.append(f"body {expected.body[:2000]!r} became {found.body[:2000]!r}")
    return differing


def shows_length(case: Case) -> bool:
    """Whether the response shows if a request without a body said so: clients and proxies need not (RFC 9110 section 8.6)."""
    return case.body is None and case.method not in {"GET", "HEAD"}


def body(case: Case, answer: Answer) -> bytes | int | list:
    if case.random_body:
        return len(answer.body)
    if shows_length(case):
        return answer.body.replace(NO_LENGTH, b"")
    if case.path.startswith("/stream/"):
        # It shows the request's fields in the order in which they came, which has no meaning.
        return [json.loads(line) for line in answer.body.splitlines()]
    if answer.body.startswith(GZIP):
        # The time at which it was compressed (RFC 1952).
        return answer.body[:4] + answer.body[8:]
    return answer.body


def fields(case: Case, answer: Answer) -> list[tuple[str, str]]:
    """Sorted by name alone: the order of different fields has no meaning, that of equal ones has."""
    # The length of what a GET would show of its own connection.
    is_mirror = case.method == "HEAD" and case.path.startswith(("/anything", "/get"))
    skipped = NOT_COMPARED | ({"content-length"} if shows_length(case) or is_mirror else set())
    kept = [(name, value) for name, value in answer.fields if name not in skipped]
    shown = [(name, "random") if name in case.random else (name, value) for name, value in kept]
    return sorted(shown, key=lambda field: field[0])


if __name__ == "__main__":
    sys.exit(main())
