//! Which request targets are passed on at all; and the base path as a fence: whether a request's path leads out of it.
//!
//! The path goes on byte for byte, so it is the target that resolves its dot
//! segments (RFC 3986 §5.2.4), and targets differ: some decode `%2e` and `%2f`
//! first, some take `\` for `/`, some cut `;parameters` off, some end the path at `#`
//! or at a decoded `?`, some drop empty segments. A path is outside when it is so by any of these readings.

use crate::local_reply::LocalReply;

/// The reply to a request whose target is not a path with a query, nor `*` for OPTIONS (RFC 9112 §3.2). The path may be
/// empty: then it was not given to the engine.
pub(crate) fn malformed(method: &str, target: &str) -> Option<LocalReply> {
    let is_known =
        target.is_empty() || target.starts_with('/') || (target == "*" && method == "OPTIONS");
    if !is_known {
        return Some(LocalReply::no_path());
    }
    // One target would cut it off, and another take it for a part of the path.
    target.contains('#').then(LocalReply::fragment)
}

/// Whether a path, as it came, climbs above its root. Its query does not matter.
pub(crate) fn climbs_out(path: &str) -> bool {
    let mut rest = path.as_bytes();
    let mut depth = 0_u32;
    // Between two slashes that all targets see, one target may read several
    // segments where another reads a single one.
    let mut gained = false;
    // What one target takes for further segments, another has cut off.
    let mut was_cut = false;
    loop {
        let Read { piece, cut, after } = read(rest);
        match piece {
            Piece::Up if depth == 0 => return true,
            Piece::Up => depth -= 1,
            Piece::Name if !gained && !was_cut => {
                depth += 1;
                gained = true;
            }
            Piece::Name | Piece::Stays => {}
        }
        match after {
            [] | [b'?', ..] => return false,
            [b'/', ..] => (gained, was_cut) = (false, false),
            _ => was_cut |= cut,
        }
        (_, rest) = character(after);
    }
}

/// What some target may take for a segment.
#[derive(Clone, Copy)]
enum Piece {
    /// Nothing, or one dot.
    Stays,
    /// Two dots.
    Up,
    Name,
}

/// The piece that comes first.
struct Read<'a> {
    piece: Piece,
    /// Whether it has parameters.
    cut: bool,
    /// The rest, from the next separator on.
    after: &'a [u8],
}

fn read(path: &[u8]) -> Read<'_> {
    let mut rest = path;
    let mut dots = 0;
    let mut named = false;
    let mut cut = false;
    while let (byte, after) = character(rest)
        && !matches!(byte, b'/' | b'\\' | b'?')
        && !rest.is_empty()
    {
        match byte {
            // Servlet containers read `..;x` as `..`, and nginx `..#x`.
            b';' | b'#' => cut = true,
            _ if cut => {}
            b'.' => dots += 1,
            _ => named = true,
        }
        rest = after;
    }
    let piece = match dots {
        _ if named => Piece::Name,
        0 | 1 => Piece::Stays,
        2 => Piece::Up,
        _ => Piece::Name,
    };
    Read {
        piece,
        cut,
        after: rest,
    }
}

/// The first byte, and what follows it. Of those percent-encoded, the ones that
/// matter here are decoded.
fn character(path: &[u8]) -> (u8, &[u8]) {
    match path {
        [b'%', high, low, rest @ ..] => {
            let decoded = match (high, low | 0x20) {
                (b'2', b'e') => b'.',
                (b'2', b'f') => b'/',
                (b'5', b'c') => b'\\',
                // What ends a path cuts like a parameter: another reading goes on.
                (b'3', b'b' | b'f') | (b'2', b'3') => b';',
                _ => return (b'%', &path[1..]),
            };
            (decoded, rest)
        }
        [byte, rest @ ..] => (*byte, rest),
        [] => (0, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_stays_inside_by_every_reading() {
        for path in [
            "",
            "/",
            "*",
            "?q",
            "/a",
            "/a/",
            "/a/..",
            "/a/b/../..",
            "/./a/..",
            "/a/./..",
            "/...",
            "/.../..",
            "/.a",
            "/..a",
            "/a..",
            "/a/..?/../..",
            "/a/..#b",
            "/a#/..",
            "/a%3Fb/..",
            "/?/..",
            "/a;b/..",
            "/a;\\b/..",
            "/a/..;b",
            "/%2e/a",
            "/%2ea",
            "/a%2fb/..",
            "/%252e%252e",
            "/a%",
            "/a%2",
            "/%zz/..",
        ] {
            assert!(!climbs_out(path), "{path}");
        }
    }

    #[test]
    fn what_climbs_out_by_some_reading() {
        for path in [
            "/..",
            "..",
            "/../",
            "/../a",
            "/../?q",
            "/a/../..",
            "/a/../../b",
            "/./..",
            "//..",
            "/a//../..",
            "/a/./../..",
            "/%2e%2e",
            "/%2E.",
            "/.%2e/a",
            "/%2e%2e%2fa",
            "/..%2f",
            "/..%5ca",
            "/..\\a",
            "/\\..\\a",
            "/a%2f..%2f..",
            "/a%2fb/../..",
            "/a%5Cb/../..",
            "/a\\b/../..",
            "/..#",
            "/..#/a",
            "/a/../..#",
            "/a#/../..",
            "/..%23",
            "/..%3fq",
            "/..%3Fq/a",
            "/..;/a",
            "/..;x=1/a",
            "/..%3b/a",
            "/..%3Bx/a",
            "/;/..",
            "/;a/..",
            "/.;a/..",
            "/;\\a/..",
            "/%3b%5Ca/..",
            "/;%2fa/..",
            "/a/..;/..;/b",
            "/a%2f..%2fb/..",
        ] {
            assert!(climbs_out(path), "{path}");
        }
    }

    /// The depth by one target's reading, at its least.
    fn least_depth(path: &str, decodes: bool, backslash: bool, merges: bool, cuts: bool) -> i32 {
        let path = path.split('?').next().unwrap_or_default();
        let mut path = path.to_owned();
        if decodes {
            for (code, plain) in [("%2e", "."), ("%2f", "/"), ("%5c", "\\"), ("%3b", ";")] {
                path = path
                    .replace(code, plain)
                    .replace(&code.to_uppercase(), plain);
            }
        }
        if backslash {
            path = path.replace('\\', "/");
        }
        let (mut depth, mut least) = (0, 0);
        for segment in path.split('/').skip(1) {
            let segment = if cuts {
                segment.split(';').next().unwrap_or_default()
            } else {
                segment
            };
            match segment {
                ".." => depth -= 1,
                "." => {}
                "" if merges => {}
                _ => depth += 1,
            }
            least = least.min(depth);
        }
        least
    }

    #[test]
    fn a_target_is_a_path_or_the_star_of_options() {
        for (method, target, status) in [
            ("GET", "/", None),
            ("GET", "/a?b=c*d", None),
            ("GET", "//a", None),
            ("OPTIONS", "*", None),
            // Not given to the engine.
            ("GET", "", None),
            ("GET", "*", Some(400)),
            ("OPTIONS", "**", Some(400)),
            ("GET", "a", Some(400)),
            ("GET", "ftp://a/b", Some(400)),
            ("GET", "?a", Some(400)),
            ("GET", "/a#b", Some(400)),
            ("GET", "/a?b#", Some(400)),
        ] {
            let reply = malformed(method, target);
            assert_eq!(reply.map(|reply| reply.status), status, "{method} {target}");
        }
    }

    proptest! {
        #[test]
        fn no_reading_of_a_path_that_passes_leads_out(
            path in "/([a./\\\\;?]|%2[eEfF]|%5[cC]|%3[bB]|[.][.]|/[.][.]){0,14}",
            decodes: bool, backslash: bool, merges: bool, cuts: bool,
        ) {
            let outside = least_depth(&path, decodes, backslash, merges, cuts) < 0;
            prop_assert!(climbs_out(&path) || !outside, "{}", path);
        }

        #[test]
        fn a_path_without_two_dots_in_a_row_passes(path in "/([a/;\\\\%?]|[.]a|%2e[/a]){0,20}") {
            prop_assert!(!climbs_out(&path), "{}", path);
        }
    }
}
