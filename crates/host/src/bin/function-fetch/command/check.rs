//! `function-fetch check`.

use crate::cli::CheckArgs;
use crate::environment;
use function_fetch_component::variables::{ALL, is_set, read_all, variable};
use function_fetch_engine::settings::{Capabilities, NAMES, Settings, StoreKind, TargetsError};
use function_fetch_host::{Variables, one_line};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// How similar a name must be to a setting's to be taken for a typo (Jaro-Winkler, 1 = equal).
const ALIKE: f64 = 0.9;

pub fn run(args: CheckArgs) -> anyhow::Result<ExitCode> {
    let given = environment::shared(environment::utf8(), args.environment);
    let settings = read(&given);
    let problems = problems(&given, &settings);
    for problem in &problems {
        println!("{problem}");
    }
    match settings.targets.as_slice() {
        [] => println!("No usable target"),
        targets => {
            println!("Targets:");
            for target in targets {
                println!("  {target}{}", target.preference().note());
            }
        }
    }
    println!(
        "{}",
        match problems.len() {
            0 => "No problems".to_owned(),
            1 => "1 problem".to_owned(),
            count => format!("{count} problems"),
        }
    );
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The settings as the component reads them on this host.
pub fn read(given: &BTreeMap<String, String>) -> Settings {
    let host = Capabilities {
        store: Some(StoreKind::Spin),
        ..Capabilities::default()
    };
    Settings::read(host, |name| given.get(name).cloned())
}

/// The settings of a server that is about to start. A Spin variable that is set and not empty overrides the environment,
/// as it does in the component.
pub fn read_for_server(given: &BTreeMap<String, String>, variables: &Variables) -> Settings {
    let mut given = given.clone();
    let set: Vec<(&str, String)> = match variables.value(ALL) {
        Some(all) => read_all(all),
        None => NAMES
            .into_iter()
            .filter_map(|name| Some((name, variables.value(&variable(name))?.to_owned())))
            .filter(|(_, value)| is_set(value))
            .collect(),
    };
    given.extend(
        set.into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    read(&given)
}

/// Why there is no target, if there is none.
pub fn no_targets(settings: &Settings) -> Option<String> {
    settings.no_targets.as_ref().map(sentence)
}

/// The first line is the problem; the remedy follows on the next.
fn sentence(error: &TargetsError) -> String {
    one_line(&error.to_string().replacen('\n', ". ", 1))
}

/// Every problem, a line each, with its remedy.
fn problems(given: &BTreeMap<String, String>, settings: &Settings) -> Vec<String> {
    let mut problems: Vec<String> = match &settings.no_targets {
        // Each of its entries is among the problems of the settings.
        Some(TargetsError::Invalid(_)) => Vec::new(),
        Some(error) => vec![sentence(error)],
        None => Vec::new(),
    };
    problems.extend(settings.problems.iter().map(ToString::to_string));
    problems.extend(given.keys().filter_map(|name| unknown(name)));
    problems
}

/// A `FETCH_` name that nothing reads is most likely misspelled.
fn unknown(name: &str) -> Option<String> {
    if !name.starts_with("FETCH_") || NAMES.contains(&name) {
        return None;
    }
    let likeness = |known: &&&str| (strsim::jaro_winkler(name, known) * 1e6) as u32;
    let closest = NAMES
        .iter()
        .max_by_key(likeness)
        .filter(|known| strsim::jaro_winkler(name, known) >= ALIKE);
    Some(match closest {
        Some(known) => format!("{name}: no such setting; did you mean {known}?"),
        None => format!("{name}: no such setting; remove it"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGETS: &str = "FETCH_TARGETS";

    fn checked(given: &[(&str, &str)]) -> Vec<String> {
        let given = given
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        problems(&given, &read(&given))
    }

    #[test]
    fn targets_come_from_the_environment_or_from_a_variable() {
        let given = |targets: &str| BTreeMap::from([(TARGETS.to_owned(), targets.to_owned())]);
        let variables = |targets: &str| {
            let mut variables = Variables::default();
            variables.set("fetch_targets", targets);
            variables
        };
        let none = Variables::default();
        let no_targets = |given: &BTreeMap<_, _>, variables: &_| {
            super::no_targets(&read_for_server(given, variables))
        };
        assert_eq!(no_targets(&given("http://a.example"), &none), None);
        let mut all = Variables::default();
        all.set(ALL, "fetch_targets=http://b.example");
        let settings = read_for_server(&given("http://a.example"), &all);
        assert_eq!(settings.targets[0].url(), "http://b.example");
        assert_eq!(
            no_targets(&BTreeMap::new(), &variables("http://a.example")),
            None
        );
        assert_eq!(no_targets(&given("http://a.example"), &variables("")), None);
        let missing = no_targets(&BTreeMap::new(), &none).unwrap();
        assert!(
            missing.starts_with("Missing env: FETCH_TARGETS. Set it to"),
            "{missing}"
        );
        let invalid = no_targets(&given("http://a.example"), &variables("ftp://b")).unwrap();
        assert!(
            invalid.starts_with("Invalid env: FETCH_TARGETS"),
            "{invalid}"
        );
    }

    #[test]
    fn every_problem_is_listed_by_its_setting() {
        type Case = (
            &'static [(&'static str, &'static str)],
            &'static [&'static str],
        );
        const GOOD: (&str, &str) = ("FETCH_TARGETS", "http://a.example");
        let cases: [Case; 5] = [
            (&[], &["Missing env: FETCH_TARGETS"]),
            (
                &[("FETCH_TARGETS", "ftp://a b")],
                &["FETCH_TARGETS: \"ftp://a\"", "FETCH_TARGETS: \"b\""],
            ),
            (
                &[("FETCH_TARGETS", "http://a.example ftp://b")],
                &["FETCH_TARGETS: \"ftp://b\""],
            ),
            (
                &[
                    GOOD,
                    ("FETCH_RETRY_ON_5XX", "maybe"),
                    ("FETCH_MAX_ATTEMPTS", "0"),
                ],
                &["FETCH_RETRY_ON_5XX", "FETCH_MAX_ATTEMPTS"],
            ),
            (
                &[GOOD, ("FETCH_HEALTHPATH", "/"), ("FETCH_XYZ", "1")],
                &[
                    "FETCH_HEALTHPATH: no such setting; did you mean FETCH_HEALTH_PATH?",
                    "FETCH_XYZ: no such setting; remove it",
                ],
            ),
        ];
        assert_eq!(checked(&[GOOD]), Vec::<String>::new());
        for (given, expected) in cases {
            let problems = checked(given);
            assert_eq!(problems.len(), expected.len(), "{problems:?}");
            for start in expected {
                assert!(
                    problems.iter().any(|problem| problem.starts_with(start)),
                    "{start} in {problems:?}"
                );
            }
        }
    }
}
