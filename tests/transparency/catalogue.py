"""The requests that are compared: every endpoint of httpbin, but those that wait for long."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    # Whether the body is sent without a length.
    chunked: bool = False
    # Response fields whose values are random: both responses must have them.
    random: frozenset[str] = frozenset()
    # Whether the response's body is random: both must be of one length.
    random_body: bool = False

    @property
    def name(self) -> str:
        details = ", ".join(f"{name}: {value[:30]}" for name, value in self.headers.items())
        body = "" if self.body is None else f" [{len(self.body)}{' chunked' if self.chunked else ''}]"
        return f"{self.method} {self.path}{body} {details}".strip()


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=edge"}
PARTS = (
    b"--edge\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
    b"--edge\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.bin\"\r\n"
    b"Content-Type: application/octet-stream\r\n\r\n\x00\x01\xff\r\n--edge--\r\n"
)
# waitress refuses 407, whose field belongs to a connection.
STATUSES = [200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 304, 305, 307, 308]
STATUSES += [400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 412, 413, 415, 418, 422, 428, 429, 431, 451]
STATUSES += [500, 501, 502, 503, 504, 505, 507, 511]


def cases() -> list[Case]:
    return [*methods(), *bodies(), *reads(), *auth(), *conditions(), *formats(), *redirects(), *odd()]


def methods() -> list[Case]:
    known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]
    found = [Case(method, "/anything/x?a=1&a=2&b=%20+%C3%A9") for method in known]
    found += [Case(method, f"/{method.lower()}") for method in ["GET", "POST", "PUT", "PATCH", "DELETE"]]
    # Not allowed there.
    found += [Case("POST", "/get"), Case("GET", "/post"), Case("DELETE", "/get"), Case("PURGE", "/anything")]
    found += [Case("OPTIONS", "/get"), Case("HEAD", "/get"), Case("HEAD", "/image/png"), Case("HEAD", "/stream/3")]
    return found


def bodies() -> list[Case]:
    large = bytes(range(256)) * 1024
    return [
        Case("POST", "/post", FORM, b"a=1&a=2&b=%C3%A9+x"),
        Case("POST", "/post", JSON, b'{"a": [1, "\\u00e9", null]}'),
        Case("POST", "/post", MULTIPART, PARTS),
        Case("POST", "/post", {"Content-Type": "text/plain; charset=utf-8"}, "é\n\x00".encode()),
        Case("POST", "/post", {}, b""),
        Case("POST", "/post", {}, large),
        Case("POST", "/post", {}, large, chunked=True),
        Case("PUT", "/put", JSON, b"[]", chunked=True),
        Case("PATCH", "/patch", JSON, b"{}"),
        Case("DELETE", "/delete", JSON, b"{}"),
        Case("PUT", "/anything", {"Content-Encoding": "gzip"}, b"not really"),
        Case("POST", "/anything", {"Expect": "100-continue"}, b"expected"),
    ]


def reads() -> list[Case]:
    found = [Case("GET", path) for path in ["/", "/ip", "/headers", "/user-agent", "/robots.txt", "/deny", "/html"]]
    found += [Case("GET", path) for path in ["/json", "/xml", "/forms/post", "/links/5/1", "/links/5"]]
    found += [Case("GET", f"/status/{status}") for status in STATUSES]
    found += [Case("POST", f"/status/{status}", {}, b"x") for status in [200, 302, 404, 500, 503]]
    found += [Case("PUT", "/status/418"), Case("DELETE", "/status/204"), Case("PATCH", "/status/304")]
    found += [
        Case("GET", "/uuid", random_body=True),
        Case("GET", "/bytes/1024?seed=7"),
        Case("GET", "/bytes/0?seed=7"),
        Case("GET", "/stream-bytes/50000?seed=7&chunk_size=700"),
        Case("GET", "/stream/20"),
        Case("GET", "/drip?duration=0.2&numbytes=5&delay=0&code=201"),
        Case("GET", "/delay/0.1"),
        Case("GET", "/range/2048"),
        Case("GET", "/range/2048?chunk_size=100", {"Range": "bytes=100-199"}),
        Case("GET", "/range/2048", {"Range": "bytes=-5"}),
        Case("GET", "/range/2048", {"Range": "bytes=5000-"}),
        Case("GET", "/base64/SFRUUEJJTg%3D%3D"),
        Case("GET", "/base64/%25"),
        Case("GET", "/encoding/utf8"),
    ]
    return found


def auth() -> list[Case]:
    right = {"Authorization": "Basic dTpw"}
    wrong = {"Authorization": "Basic dTpx"}
    nonce = frozenset({"www-authenticate", "set-cookie"})
    return [
        Case("GET", "/basic-auth/u/p"),
        Case("GET", "/basic-auth/u/p", right),
        Case("GET", "/basic-auth/u/p", wrong),
        Case("GET", "/hidden-basic-auth/u/p", right),
        Case("GET", "/hidden-basic-auth/u/p", wrong),
        Case("GET", "/bearer"),
        Case("GET", "/bearer", {"Authorization": "Bearer t"}),
        Case("GET", "/digest-auth/auth/u/p", random=nonce),
        Case("GET", "/digest-auth/auth-int/u/p/SHA-256", random=nonce),
        Case("GET", "/cookies", {"Cookie": "a=1; b=2"}),
        Case("GET", "/cookies/set?a=1&b=2"),
        Case("GET", "/cookies/set/a/1"),
        Case("GET", "/cookies/delete?a", {"Cookie": "a=1"}),
    ]


def conditions() -> list[Case]:
    fresh = frozenset({"etag", "last-modified"})
    return [
        Case("GET", "/cache", random=fresh),
        Case("GET", "/cache", {"If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"}),
        Case("GET", "/cache", {"If-None-Match": '"a"'}),
        Case("GET", "/cache/60"),
        Case("GET", "/etag/a"),
        Case("GET", "/etag/a", {"If-None-Match": '"b", "a"'}),
        Case("GET", "/etag/a", {"If-None-Match": "*"}),
        Case("GET", "/etag/a", {"If-Match": '"b"'}),
        Case("HEAD", "/etag/a", {"If-None-Match": '"a"'}),
    ]


def formats() -> list[Case]:
    found = [Case("GET", path) for path in ["/gzip", "/deflate", "/brotli"]]
    found += [Case("GET", path, {"Accept-Encoding": "identity"}) for path in ["/gzip", "/brotli", "/json"]]
    found += [Case("GET", f"/image/{kind}") for kind in ["png", "jpeg", "svg", "webp"]]
    found += [Case("GET", "/image", {"Accept": kind}) for kind in ["image/webp", "image/*", "text/plain"]]
    return found


def redirects() -> list[Case]:
    return [
        Case("GET", "/redirect/3"),
        Case("GET", "/relative-redirect/2"),
        Case("GET", "/absolute-redirect/2"),
        Case("GET", "/redirect-to?url=http%3A%2F%2Fexample.test%2F%C3%A9"),
        Case("PUT", "/redirect-to?url=%2Fput&status_code=307", {}, b"x"),
        Case("DELETE", "/redirect-to?url=%2Fdelete&status_code=308"),
    ]


def odd() -> list[Case]:
    many = {f"X-{number}": "v" * number for number in range(1, 70)}
    return [
        Case("GET", "/no/such/path"),
        Case("GET", "/anything/%C3%A9%20/a;b=c/@:!$&'()*+,~"),
        Case("GET", "/anything?%26=%3D&&x=&=y&z"),
        Case("GET", "/anything//double//slashes"),
        Case("GET", "/response-headers?X-A=1&X-A=2&X-B=%20&Set-Cookie=a%3D1&Set-Cookie=b%3D2"),
        Case("GET", "/response-headers?Cache-Control=no-store&Vary=Origin&Link=%3C/a%3E%3B%20rel%3Da"),
        Case("POST", "/response-headers?X-A=1"),
        Case("GET", "/headers", {"Accept": "*/*;q=0.5, text/html", "Accept-Language": "en, de;q=0.5"}),
        Case("GET", "/headers", {"X-Empty": "", "X-Spaces": "a  b", "X-Quoted": '"a, b"; c="d"'}),
        Case("GET", "/headers", {"X-Long": "a" * 5000}),
        Case("GET", "/headers", many),
        Case("GET", "/headers", {"Referer": "http://a.test/b#c", "Origin": "null", "DNT": "1"}),
        Case("GET", "/headers", {"TE": "gzip", "Keep-Alive": "timeout=5", "Cache-Control": "no-store"}),
    ]
