//! `function-fetch check`.

use crate::cli::CheckArgs;
use crate::{environment, output};
use function_fetch_engine::Target;
use function_fetch_engine::settings::{Capabilities, NAMES, Settings, StoreKind, TargetsError};
use function_fetch_host::one_line;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// How similar a name must be to a setting's to be taken for a typo (Jaro-Winkler, 1 = equal).
const ALIKE: f64 = 0.9;

pub fn run(args: CheckArgs) -> anyhow::Result<ExitCode> {
    if args.schema {
        output::print(&(serde_json::to_string_pretty(&function_fetch_settings::schema())? + "\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let given = environment::shared(environment::utf8(), args.environment);
    let settings = read(&given);
    let problems = problems(&given, &settings);
    let mut lines = problems.clone();
    match settings.targets.as_slice() {
        [] => lines.push("No usable target".to_owned()),
        targets => {
            lines.push("Targets:".to_owned());
            let line = |target: &Target| format!("  {target}{}", target.preference().note());
            lines.extend(targets.iter().map(line));
        }
    }
    lines.push(match problems.len() {
        0 => "No problems".to_owned(),
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    });
    output::print(&(lines.join("\n") + "\n"))?;
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

/// The first line is the problem; the remedy follows on the next.
pub fn sentence(error: &TargetsError) -> String {
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
pub fn unknown(name: &str) -> Option<String> {
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

    fn checked(given: &[(&str, &str)]) -> Vec<String> {
        let given = given
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        problems(&given, &read(&given))
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
