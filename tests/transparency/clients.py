"""Clients of different make, none of which follows a redirect or decodes a body."""

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import requests

from catalogue import Case

TIMEOUT = 20


@dataclass(frozen=True)
class Answer:
    status: int
    # Names in lower case, in the order in which they came.
    fields: list[tuple[str, str]]
    body: bytes


def sent(case: Case) -> bytes | Iterator[bytes] | None:
    body = case.body
    if body is None or not case.chunked:
        return body
    return (body[at : at + 10_000] for at in range(0, len(body), 10_000))


class Requests:
    name = "requests"

    def send(self, base: str, cases: list[Case]) -> list[Answer]:
        with requests.Session() as session:
            session.trust_env = False
            # It shows in what httpbin says it got, and ends at the proxy.
            del session.headers["Connection"]
            return [self.exchange(session, base, case) for case in cases]

    def exchange(self, session: requests.Session, base: str, case: Case) -> Answer:
        # A cookie of one response would go with the next request.
        session.cookies.clear()
        request = requests.Request(case.method, base, headers=case.headers, data=sent(case))
        prepared = session.prepare_request(request)
        # As it is: `requests` would normalise it.
        prepared.url = base + case.path
        with session.send(prepared, stream=True, allow_redirects=False, timeout=TIMEOUT) as response:
            fields = [(name.lower(), value) for name, value in response.raw.headers.iteritems()]
            return Answer(response.status_code, fields, response.raw.read(decode_content=False))


class Httpx:
    def __init__(self, http2: bool) -> None:
        self.http2 = http2
        self.name = "httpx over HTTP/2" if http2 else "httpx"

    def send(self, base: str, cases: list[Case]) -> list[Answer]:
        client = httpx.Client(http1=not self.http2, http2=self.http2, trust_env=False, timeout=TIMEOUT)
        # See above.
        del client.headers["Connection"]
        with client:
            return [self.exchange(client, base, case) for case in cases]

    def exchange(self, client: httpx.Client, base: str, case: Case) -> Answer:
        client.cookies.clear()
        # The raw path: httpx would encode it anew.
        parts = urlsplit(base)
        url = httpx.URL(scheme=parts.scheme, host=parts.hostname, port=parts.port, raw_path=case.path.encode())
        with client.stream(case.method, url, headers=case.headers, content=sent(case)) as response:
            fields = [(name.decode().lower(), value.decode("latin-1")) for name, value in response.headers.raw]
            return Answer(response.status_code, fields, b"".join(response.iter_raw()))


class Curl:
    def __init__(self, http2: bool) -> None:
        self.http2 = http2
        self.name = "curl over HTTP/2" if http2 else "curl"
        self.version = "--http2-prior-knowledge" if http2 else "--http1.1"

    def send(self, base: str, cases: list[Case]) -> list[Answer]:
        with tempfile.TemporaryDirectory() as name:
            folders = [Path(name, str(number)) for number in range(len(cases))]
            transfers = [
                [*self.options(folder, case), base + case.path] for folder, case in zip(folders, cases, strict=True)
            ]
            for command in self.commands(transfers):
                subprocess.run(["curl", "--disable", *command], check=True)
            return [self.read(folder, case) for folder, case in zip(folders, cases, strict=True)]

    def commands(self, transfers: list[list]) -> list[list]:
        """All transfers in one process, which keeps its connection. But curl 7.88 cannot use one again on which it
        spoke HTTP/2 at once: there each has a process of its own."""
        if self.http2:
            return transfers
        return [[word for transfer in transfers for word in ["--next", *transfer]][1:]]

    def options(self, folder: Path, case: Case) -> list:
        folder.mkdir()
        options = ["--silent", "--show-error", "--path-as-is", "--globoff", self.version]
        options += ["--max-time", str(TIMEOUT), "--dump-header", folder / "head", "--output", folder / "body"]
        options += ["--head"] if case.method == "HEAD" else ["--request", case.method]
        for name, value in case.headers.items():
            options += ["--header", f"{name}: {value}" if value else f"{name};"]
        if case.body is not None:
            (folder / "sent").write_bytes(case.body)
            options += ["--data-binary", f"@{folder / 'sent'}"]
        if case.chunked:
            options += ["--header", "Transfer-Encoding: chunked"]
        return options

    def read(self, folder: Path, case: Case) -> Answer:
        heads = (folder / "head").read_bytes().decode("latin-1").rstrip("\r\n").split("\r\n\r\n")
        # The others are interim.
        lines = [head.split("\r\n") for head in heads if head.split(" ")[1] >= "2"][-1]
        fields = [line.split(":", 1) for line in lines[1:]]
        body = folder / "body"
        return Answer(
            int(lines[0].split(" ")[1]),
            [(name.lower(), value.strip()) for name, value in fields],
            # In place of the body that a response to HEAD has not, curl writes the head.
            body.read_bytes() if body.exists() and case.method != "HEAD" else b"",
        )


def over_http1() -> list:
    return [Requests(), Httpx(http2=False), Curl(http2=False)]


def over_http2() -> list:
    return [Httpx(http2=True), Curl(http2=True)]
