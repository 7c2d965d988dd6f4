//! The settings of Function Fetch as an instance will read them: Spin variables before the environment.

use crate::variables::Variables;
use function_fetch_component::variables::{ALL, is_set, read_all, variable};
use function_fetch_engine::settings::NAMES;
use std::collections::BTreeMap;

/// By name, those that are set.
pub(crate) fn in_force(
    environment: &BTreeMap<String, String>,
    variables: &Variables,
) -> BTreeMap<String, String> {
    let mut settings = environment.clone();
    let of_variables: Vec<(&str, String)> = match variables.value(ALL) {
        Some(all) => read_all(all),
        None => NAMES
            .into_iter()
            .filter_map(|name| Some((name, variables.value(&variable(name))?.to_owned())))
            .filter(|(_, value)| is_set(value))
            .collect(),
    };
    settings.extend(
        of_variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    settings
}

/// Sets one, whatever else is set.
pub(crate) fn insist(
    environment: &mut BTreeMap<String, String>,
    variables: &mut Variables,
    name: &str,
    value: &str,
) {
    environment.insert(name.to_owned(), value.to_owned());
    let variable = variable(name);
    match variables.value(ALL) {
        // Of two lines the last one counts.
        Some(all) => {
            let all = format!("{all}\n{variable}={value}");
            variables.set(ALL, all);
        }
        None => variables.set(variable, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(given: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        given.iter().map(owned).collect()
    }

    fn variables(given: &[(&str, &str)]) -> Variables {
        let mut variables = Variables::default();
        for (name, value) in given {
            variables.set(*name, *value);
        }
        variables
    }

    #[test]
    fn a_variable_that_is_not_empty_comes_before_the_environment() {
        let given = environment(&[("FETCH_TARGETS", "http://a"), ("FETCH_SPREAD", "yes")]);
        let cases = [
            (variables(&[]), "http://a"),
            (variables(&[("fetch_targets", " ")]), "http://a"),
            (variables(&[("fetch_targets", "http://b")]), "http://b"),
            (variables(&[(ALL, "fetch_targets=http://c")]), "http://c"),
            (
                variables(&[(ALL, "fetch_spread=no"), ("fetch_targets", "http://b")]),
                "http://a",
            ),
        ];
        for (variables, targets) in cases {
            assert_eq!(in_force(&given, &variables)["FETCH_TARGETS"], targets);
        }
    }

    #[test]
    fn what_is_insisted_on_is_in_force() {
        let all = "fetch_targets=http://c\nfetch_explain=no\n";
        for mut variables in [
            variables(&[]),
            variables(&[("fetch_explain", "false")]),
            variables(&[(ALL, all)]),
        ] {
            let mut environment = environment(&[("FETCH_EXPLAIN", "0")]);
            insist(&mut environment, &mut variables, "FETCH_EXPLAIN", "true");
            assert_eq!(in_force(&environment, &variables)["FETCH_EXPLAIN"], "true");
        }
    }
}
