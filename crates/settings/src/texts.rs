//! What the table has no room for: the sentences in Chinese, an example, and what else is worth
//! knowing of a setting.

use serde::Deserialize;
use std::collections::BTreeMap;

const FILE: &str = include_str!("../texts.toml");

/// The texts of every setting, by its name.
pub(crate) type Texts = BTreeMap<String, Text>;

/// The texts of a setting.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    /// The table's sentence, in Chinese.
    pub(crate) chinese: String,
    /// A value that somebody may want.
    pub(crate) example: String,
    /// What else is worth knowing, in Markdown.
    #[serde(default)]
    pub(crate) more: More,
}

/// The same in both languages, or none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct More {
    /// In English.
    #[serde(default)]
    pub(crate) english: String,
    /// In Chinese.
    #[serde(default)]
    pub(crate) chinese: String,
}

/// Reads them.
///
/// # Errors
///
/// When the file of this package is not what it should be.
pub(crate) fn read() -> Result<Texts, toml::de::Error> {
    toml::from_str(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use function_fetch_engine::settings::{Capabilities, NAMES, Settings, StoreKind};

    #[test]
    fn there_are_texts_for_every_setting_and_for_no_other() {
        let texts = read().unwrap();
        let mut names = NAMES.to_vec();
        names.sort_unstable();
        assert_eq!(texts.keys().collect::<Vec<_>>(), names);
        for (name, Text { chinese, more, .. }) in &texts {
            assert!(chinese.ends_with('。'), "{name}");
            assert_eq!(more.english.is_empty(), more.chinese.is_empty(), "{name}");
        }
    }

    #[test]
    fn each_example_is_a_value_that_changes_something() {
        let host = Capabilities {
            store: Some(StoreKind::Custom),
            ..Capabilities::default()
        };
        let targets = ("FETCH_TARGETS", "http://a.example");
        let unset = Settings::read(host, |name| (name == targets.0).then(|| targets.1.into()));
        let texts = read().unwrap();
        for (name, Text { example, .. }) in &texts {
            // It names the store of one platform.
            let store = if *name == "ESA_KV_NAMESPACE" {
                StoreKind::EdgeKv
            } else {
                StoreKind::Custom
            };
            let host = Capabilities {
                store: Some(store),
                ..host
            };
            let settings = Settings::read(host, |asked| match asked {
                asked if asked == name => Some(example.clone()),
                asked if asked == targets.0 => Some(targets.1.into()),
                // The two are of use together.
                "FETCH_STATUS_PATH" | "FETCH_STATUS_TOKEN" if name.contains("_STATUS_") => {
                    Some(texts[asked].example.clone())
                }
                _ => None,
            });
            assert_eq!(settings.problems, [], "{name}={example}");
            assert_ne!(settings, unset, "{name}={example} is the default");
        }
    }
}
