//! What the client prefers: JSON or a page, English or Chinese.

/// What the status is told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Html,
}

impl Format {
    /// JSON for whoever names it, else the page.
    pub(crate) fn wanted(accept: Option<&str>) -> Self {
        let is_json = |(range, weight): (&str, &str)| {
            range.eq_ignore_ascii_case("application/json") && weight > "0"
        };
        if weighted(accept).any(is_json) {
            Self::Json
        } else {
            Self::Html
        }
    }
}

/// The language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
}

impl Language {
    /// English, unless the client prefers Chinese.
    pub(crate) fn preferred(accept_language: Option<&str>) -> Self {
        let mut best = (Self::English, "0");
        for (range, weight) in weighted(accept_language) {
            let language = range.split('-').next().unwrap_or_default();
            let known = if language.eq_ignore_ascii_case("zh") {
                Self::Chinese
            } else if language.eq_ignore_ascii_case("en") {
                Self::English
            } else {
                continue;
            };
            if weight > best.1 {
                best = (known, weight);
            }
        }
        best.0
    }
}

/// The ranges of an `accept` field with their weights (RFC 9110 §12.4.2). These are
/// `0`, `0.` with up to three digits, or `1`: the order of the texts is that of the
/// numbers.
fn weighted(field: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    field.unwrap_or_default().split(',').map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default();
        let mut weights = parts.filter_map(|part| part.strip_prefix("q="));
        match weights.next().unwrap_or("1").trim_end_matches(['0', '.']) {
            "" => (range, "0"),
            weight => (range, weight),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_whoever_names_it() {
        for accept in [
            "application/json",
            "text/plain, Application/JSON;q=0.5",
            "application/json; charset=utf-8",
        ] {
            assert_eq!(Format::wanted(Some(accept)), Format::Json, "{accept}");
        }
        for accept in [
            "*/*",
            "text/html,application/xhtml+xml",
            "application/json;q=0",
            "application/json;q=0.000, text/html",
            "application/*",
            "",
        ] {
            assert_eq!(Format::wanted(Some(accept)), Format::Html, "{accept}");
        }
        assert_eq!(Format::wanted(None), Format::Html);
    }

    #[test]
    fn chinese_is_for_whoever_prefers_it() {
        for chinese in [
            "zh-CN,zh;q=0.9,en;q=0.8",
            "ZH",
            "de, zh;q=0.5",
            "en;q=0.7, zh-TW;q=0.75",
            "en;q=0, zh;q=0.1",
        ] {
            assert_eq!(
                Language::preferred(Some(chinese)),
                Language::Chinese,
                "{chinese}"
            );
        }
        for english in [
            "",
            "en",
            "de",
            "en-GB,en;q=0.9,zh;q=0.8",
            "zh;q=0",
            "zh;q=0.999, en",
            "zhx",
        ] {
            assert_eq!(
                Language::preferred(Some(english)),
                Language::English,
                "{english}"
            );
        }
        let first = Language::preferred(Some("zh;q=0.8, en;q=0.80"));
        assert_eq!(first, Language::Chinese, "of equals the first");
        assert_eq!(Language::preferred(None), Language::English);
    }
}
