//! Paths, in front of targets that have a base path.

use function_fetch_engine::{Action, Capabilities, Engine, Request, Settings, Target, Timestamp};

/// A path as it came: one that climbs out of the base path by any server's reading is refused, one that has no two
/// dots in a row passes, and what passes goes on below the base path, byte for byte (promise 1 of
/// `docs/behaviour.md`).
pub fn fence(input: &[u8]) {
    let Ok(path) = std::str::from_utf8(input) else {
        return;
    };
    let target = Target::parse("http://a.example/base/path").expect("an address");
    let sent = target.path_for(path);
    let rest = sent
        .strip_prefix("/base/path/")
        .expect("below the base path");
    assert!(path == "*" || rest == path.strip_prefix('/').unwrap_or(path));

    let refused = is_refused(path);
    for reading in Reading::all() {
        assert!(
            refused || !reading.climbs_out(path),
            "{path:?} climbs out by {reading:?}"
        );
    }
    assert!(
        !refused || is_malformed(path) || may_climb(path),
        "{path:?} has no way out"
    );
}

/// Whether a request target is no path, or has a fragment (RFC 9112 §3.2).
fn is_malformed(path: &str) -> bool {
    !(path.is_empty() || path.starts_with('/')) || path.contains('#')
}

fn is_refused(path: &str) -> bool {
    let settings = Settings::read(Capabilities::default(), |name| {
        (name == "FETCH_TARGETS").then(|| "http://a.example/base/path".to_owned())
    });
    let request = Request::new("GET", path);
    match Engine::new(settings, 1)
        .begin(&request, Timestamp(1e12))
        .action
    {
        Action::Reply(reply) => {
            assert_eq!(reply.status, 400);
            true
        }
        _ => false,
    }
}

/// Whether it has two dots in a row, however they are written.
fn may_climb(path: &str) -> bool {
    path.to_ascii_lowercase().replace("%2e", ".").contains("..")
}

/// How a server may read a path: each of these is known of some.
#[derive(Clone, Copy, Debug)]
struct Reading {
    /// `%2e`, `%2f`, `%5c`, `%3b`, `%23` and `%3f` are what they stand for.
    decodes: bool,
    /// `\` separates.
    backslash: bool,
    /// `//` is `/`.
    merges: bool,
    /// What follows a `;` in a segment does not count.
    cuts: bool,
    /// A `#`, or a decoded `?`, ends the path.
    ends: bool,
}

impl Reading {
    fn all() -> impl Iterator<Item = Self> {
        (0..32_u8).map(|bits| Self {
            decodes: bits & 1 != 0,
            backslash: bits & 2 != 0,
            merges: bits & 4 != 0,
            cuts: bits & 8 != 0,
            ends: bits & 16 != 0,
        })
    }

    fn climbs_out(self, path: &str) -> bool {
        let mut path = path.split('?').next().unwrap_or_default().to_owned();
        if self.decodes {
            for (code, plain) in [
                ("%2e", "."),
                ("%2f", "/"),
                ("%5c", "\\"),
                ("%3b", ";"),
                ("%23", "#"),
                ("%3f", "?"),
            ] {
                let upper = format!("%{}", code[1..].to_uppercase());
                path = path.replace(code, plain).replace(&upper, plain);
            }
        }
        if self.ends {
            path = path.split(['#', '?']).next().unwrap_or_default().to_owned();
        }
        if self.backslash {
            path = path.replace('\\', "/");
        }
        let mut depth = 0;
        // The proxy puts the slash of the root in front where it is missing.
        for segment in path.strip_prefix('/').unwrap_or(&path).split('/') {
            let segment = match self.cuts {
                true => segment.split(';').next().unwrap_or_default(),
                false => segment,
            };
            match segment {
                ".." => depth -= 1,
                "." => {}
                "" if self.merges => {}
                _ => depth += 1,
            }
            if depth < 0 {
                return true;
            }
        }
        false
    }
}
