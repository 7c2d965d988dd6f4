//! This process's environment: the part that a component sees, and where to keep files.

use crate::cli::Assignment;
use std::collections::BTreeMap;
use std::path::PathBuf;

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

/// This program's own folder for what can be made again (XDG Base Directory Specification); none where neither variable
/// is an absolute path, as for a service without a home.
pub fn cache_folder() -> Option<PathBuf> {
    let folder =
        |name: &str| Some(PathBuf::from(std::env::var_os(name)?)).filter(|path| path.is_absolute());
    let caches = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(caches.join("function-fetch").join("compiled"))
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
