//! `spin:variables`: values by name, from the command line and the environment.

use crate::instance::InstanceState;
use bindings::Error;
use std::collections::HashMap;
use wasmtime::component::{Accessor, HasSelf, Linker};

pub(crate) use crate::instance::bindings::spin::variables::variables as bindings;

/// The prefix by which Spin's environment provider finds a variable: `SPIN_VARIABLE_FETCH_TARGETS` is `fetch_targets`.
const ENVIRONMENT_PREFIX: &str = "SPIN_VARIABLE_";

/// The Spin variables that a component can read.
#[derive(Debug, Clone, Default)]
pub struct Variables(HashMap<String, String>);

impl Variables {
    /// Takes every `SPIN_VARIABLE_NAME` of an environment as the variable `name`; others are ignored.
    pub fn from_environment(environment: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(
            environment
                .into_iter()
                .filter_map(|(name, value)| {
                    let name = name.strip_prefix(ENVIRONMENT_PREFIX)?;
                    Some((name.to_ascii_lowercase(), value))
                })
                .collect(),
        )
    }

    /// Sets a variable, whatever it was before.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// The value of a variable, if it is set.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn get(&self, name: &str) -> Result<String, Error> {
        if !is_valid_name(name) {
            return Err(Error::InvalidName(format!(
                "{name:?} must be lower-case letters, digits and single underscores, each word starting with a letter"
            )));
        }
        self.0
            .get(name)
            .cloned()
            .ok_or_else(|| Error::Undefined(format!("no variable named {name:?}")))
    }
}

/// Spin's rule for names: words of lower-case letters and digits, each starting with a letter, joined by single
/// underscores.
fn is_valid_name(name: &str) -> bool {
    name.split('_').all(|word| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

pub(crate) fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    bindings::add_to_linker::<_, HasSelf<InstanceState>>(linker, |state| state)
}

impl bindings::Host for InstanceState {}

impl bindings::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn get(
        accessor: &Accessor<InstanceState, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        Ok(accessor.with(|mut access| access.get().variables.get(&name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_names_are_lower_cased_and_others_ignored() {
        let environment = [
            ("SPIN_VARIABLE_FETCH_TARGETS", "http://a"),
            ("FETCH_CACHE_KEY", "k"),
        ];
        let variables =
            Variables::from_environment(environment.map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert_eq!(variables.get("fetch_targets").unwrap(), "http://a");
        assert!(matches!(
            variables.get("fetch_cache_key"),
            Err(Error::Undefined(_))
        ));
    }

    #[test]
    fn names_outside_the_rule_are_invalid_rather_than_undefined() {
        let variables = Variables::default();
        for name in ["", "A", "a-b", "1a", "_a", "a__b", "a_", "a_1b"] {
            assert!(
                matches!(variables.get(name), Err(Error::InvalidName(_))),
                "{name}"
            );
        }
        assert!(matches!(variables.get("a1_b2c"), Err(Error::Undefined(_))));
    }
}
