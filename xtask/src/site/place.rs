//! Places in the repository and in a book, written with `/` and without a leading one.

/// Where a link leads that stands in the file `from`.
pub fn resolve(from: &str, link: &str) -> String {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The link that leads from the file `from` to the file `to`.
pub fn relative(from: &str, to: &str) -> String {
    let mut from: Vec<&str> = from.split('/').collect();
    let mut to: Vec<&str> = to.split('/').collect();
    // The names of the files themselves are no folders.
    from.pop();
    let name = to.pop().unwrap_or_default();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut parts = vec![".."; from.len() - common];
    parts.extend(&to[common..]);
    parts.push(name);
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_where_a_browser_would_go() {
        for (from, link, to) in [
            ("README.md", "docs/node.md", "docs/node.md"),
            ("docs/node.md", "wire.md", "docs/wire.md"),
            ("docs/node.md", "../crates/host/", "crates/host"),
            (
                "docs/decisions/0001.md",
                "../decisions.md",
                "docs/decisions.md",
            ),
            (
                "docs/decisions/0001.md",
                "./0002.md",
                "docs/decisions/0002.md",
            ),
        ] {
            assert_eq!(resolve(from, link), to);
        }
    }

    #[test]
    fn a_relative_link_leads_back() {
        for (from, to, link) in [
            ("index.md", "node.md", "node.md"),
            ("decisions/0001.md", "decisions.md", "../decisions.md"),
            ("decisions/0001.md", "decisions/0002.md", "0002.md"),
            (
                "zh-CN/decisions/0001.html",
                "live/x.html",
                "../../live/x.html",
            ),
        ] {
            assert_eq!(relative(from, to), link);
            assert_eq!(resolve(from, link), to);
        }
    }
}
