//! Settings as Spin variables.
//!
//! A setting is the variable of its lower-cased name. Each look-up is a host
//! call, and a WASI 0.2 instance serves one request: so the manifests put all of
//! them into one variable, [`ALL`], which is read first.

use function_fetch_engine::settings::NAMES;

/// The variable that holds every setting: a line `name=value` for each variable
/// of an application, built by the template of a manifest.
pub const ALL: &str = "fetch_settings";

/// The variable of a setting: its name in lower case. Spin requires each word
/// between underscores to start with a letter, so one that starts with a digit
/// is joined to the word before it: `FETCH_RETRY_ON_5XX` is `fetch_retry_on5xx`.
#[must_use]
pub fn variable(setting: &str) -> String {
    let mut name = String::with_capacity(setting.len());
    for word in setting.split('_') {
        if !name.is_empty() && !word.starts_with(|first: char| first.is_ascii_digit()) {
            name.push('_');
        }
        name.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
    }
    name
}

/// The settings in the value of [`ALL`] that are set. A line that is not a
/// setting continues the value before it: a list may be split on line breaks.
#[must_use]
pub fn read_all(text: &str) -> Vec<(&'static str, String)> {
    let known = NAMES.map(|name| (name, variable(name)));
    let mut settings: Vec<(&'static str, String)> = Vec::new();
    for line in text.lines() {
        let named = line.split_once('=').and_then(|(name, value)| {
            let (setting, _) = known.iter().find(|(_, known)| known == name.trim())?;
            Some((*setting, value.to_owned()))
        });
        match (named, settings.last_mut()) {
            (Some(setting), _) => settings.push(setting),
            (None, Some((_, value))) => {
                value.push('\n');
                value.push_str(line);
            }
            (None, None) => {}
        }
    }
    settings.retain(|(_, value)| is_set(value));
    settings
}

/// Whether a variable counts as set. A manifest defines them all, empty, so that
/// each can be set from outside.
#[must_use]
pub fn is_set(value: &str) -> bool {
    !value.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_valid_on_spin() {
        for name in NAMES.map(variable).iter().chain([&ALL.to_owned()]) {
            for word in name.split('_') {
                assert!(word.starts_with(|c: char| c.is_ascii_lowercase()), "{name}");
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
                assert!(word.chars().all(plain), "{name}");
            }
        }
        assert_eq!(variable("FETCH_RETRY_ON_5XX"), "fetch_retry_on5xx");
    }

    #[test]
    fn one_variable_holds_all_settings() {
        let text = "\nfetch_targets=http://a?x=1\n  http://b\n\nfetch_retry_on5xx=false\nfetch_health_path=\nfetch_spread=yes\n";
        assert_eq!(
            read_all(text),
            [
                ("FETCH_TARGETS", "http://a?x=1\n  http://b\n".to_owned()),
                ("FETCH_RETRY_ON_5XX", "false".to_owned()),
                ("FETCH_SPREAD", "yes".to_owned()),
            ]
        );
        assert_eq!(read_all("no setting\n=\n"), []);
    }
}
