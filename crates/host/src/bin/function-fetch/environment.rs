//! The part of this process's environment that a component sees.

use crate::cli::Assignment;
use std::collections::BTreeMap;

const SHARED_PREFIX: &str = "FETCH_";

/// The environment, without what is not UTF-8, which cannot be passed to a component.
pub fn utf8() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// `FETCH_*` of `environment`, then the assignments of `--env`, which override it.
pub fn shared(
    environment: impl Iterator<Item = (String, String)>,
    assignments: Vec<Assignment>,
) -> BTreeMap<String, String> {
    let mut shared: BTreeMap<_, _> = environment
        .filter(|(name, _)| name.starts_with(SHARED_PREFIX))
        .collect();
    shared.extend(
        assignments
            .into_iter()
            .map(|Assignment { name, value }| (name, value)),
    );
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn component_sees_fetch_variables_and_env_wins() {
        let environment = [
            ("FETCH_A", "1"),
            ("FETCH_B", "2"),
            ("HOME", "/root"),
            ("SECRET", "x"),
        ];
        let assignments = vec!["FETCH_B=3".parse().unwrap(), "OTHER=4".parse().unwrap()];
        let seen = shared(
            environment
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v.to_owned())),
            assignments,
        );
        let expected = [("FETCH_A", "1"), ("FETCH_B", "3"), ("OTHER", "4")];
        assert_eq!(
            seen,
            expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
        );
    }
}
