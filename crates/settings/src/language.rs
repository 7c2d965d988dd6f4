//! The languages of the documentation.

/// A language of the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Chinese, as it is written in mainland China.
    Chinese,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// Its tag, by RFC 5646.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The file of a page in this language, by its English name: `node.md` is `node_zh-CN.md`.
    #[must_use]
    pub fn file(self, english: &str) -> String {
        match self {
            Self::English => english.to_owned(),
            Self::Chinese => match english.strip_suffix(".md") {
                Some(name) => format!("{name}_zh-CN.md"),
                None => english.to_owned(),
            },
        }
    }
}
